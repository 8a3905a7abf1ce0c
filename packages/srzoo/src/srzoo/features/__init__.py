"""Frozen trunks for losses and metrics: the one place that looks for pretrained weights. Nothing is ever downloaded."""
