"""How close a picture is to the truth: a function per idea; `protocol.py` says what exactly is compared. No torch."""
