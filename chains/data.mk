# Where the chains find photographs, pairs and weights; each can be given by itself: make NAME-small PHOTOS=DIR ...

PHOTOS  ?= $(SR_DATA)/hr_train
# Pairs of one size under the same names. A phone and a DSLR; two focal lengths of one camera; a shot and its clean mean.
PHONE   ?= $(SR_DATA)/lr_hr/dped_iphone_canon
CITY100 ?= $(SR_DATA)/lr_hr/city100_nikond5500
REALSR  ?= $(SR_DATA)/lr_hr/realsr_ntire2019
POLYU   ?= $(SR_DATA)/noisy_clean/polyu
RENOIR  ?= $(SR_DATA)/noisy_clean/renoir
# Low-quality photographs of many cameras, without any truth: to learn from, and to test with.
REAL_LQ_TRAIN ?= $(SR_DATA)/real_lq_train
REAL_LQ ?= $(SR_DATA)/real_lq

VGG19   ?= $(SR_DATA)/weights/vgg19_caffe_imagenet_relu3_4_fp16.pth
SQUEEZE ?= $(SR_DATA)/weights/squeezenet1_1_caffe_imagenet_features.pth
LPIPS   ?= $(SR_DATA)/weights/lpips_lin/v0.1
NIQE    ?= $(SR_DATA)/weights/niqe_pris_params.npz

# LPIPS of SqueezeNet with Caffe's weights: lower is nearer, but it is not the number that papers report.
with_lpips = --lpips squeeze --lpips-weights "$(SQUEEZE)" --lpips-heads "$(LPIPS)"

# $(call train,PRESET,OPTIONS) into the folder of the target, which is its file `done`.
train = $(BIN)/srzoo train $(1) --out $(@D) $(2) && touch $@

# DDNSR whose SR network has L2 alone (appendix C). It skips VGG19 on HR, so a step takes half the time.
ddnsr_l2 := --set loss.sr.perceptual=0 --set loss.sr.adversarial=0 --set loss.sr.pixel=1 --set loss.sr.pixel_distance=mse

# $(call need,CHAIN,FOLDERS): one line instead of a strange failure where the data is not.
need = @for folder in $(2); do test -d "$$folder" || { \
	echo "make: $(1): no folder $$folder - set SR_DATA to the folder of the data, or see chains/data.mk" >&2; exit 1; }; done
