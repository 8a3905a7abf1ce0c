# CSR-GAN in small: `make csrgan-small SR_DATA=DIR`, on photographs without pairs and two CPU cores.
# Every stage is a file below $(CSR): the same command goes on where it was stopped; to do one again, remove its file.
# The same at full size: docs/csrgan.md.

CSR         := build/csrgan
CSR_RUN     := $(CSR)/runs
CSR_RES     := $(CSR)/results
CSR_DOMAINS := unknown real
CSR_TESTS   := known unknown
CSR_ON      := bicubic cyclegan mix
CSR_PAIRS   := 1000
CSR_VGG     := --vgg-weights "$(VGG19)"
CSR_CYCLE   := --steps 1500 --threads 1
CSR_PSNR    := --steps 800 --patch 64 --threads 1
CSR_GAN     := --steps 250 --patch 64 --threads 1 --set networks.critic.patch=64 $(CSR_VGG)
CSR_JOINT   := --steps 200 --patch 96 --threads 1 $(CSR_VGG)

.PHONY: csrgan-small
csrgan-small: $(READY) ## CSR-GAN in small, to build/csrgan/report.html (SR_DATA=DIR; forty minutes)
	$(MAKE) --jobs 2 $(CSR)/report.html

# Photographs: ten are kept out. Of the others one half is seen as HR; of the other half only what a camera makes of it.
# DIV2K's crops show few scenes, so all of them are in the first half.

csr_split = $(BIN)/python datasets/split.py --train-only 'div2k_*'

$(CSR)/photos/split.json: | $(READY)
	$(call need,csrgan-small,"$(PHOTOS)" "$(REAL_LQ)" "$(REAL_LQ_TRAIN)")
	$(csr_split) "$(PHOTOS)" $(CSR)/photos --test 10

$(CSR)/halves/done: $(CSR)/photos/split.json
	$(csr_split) $(CSR)/photos/train $(@D) --test $$(($$(ls $(CSR)/photos/train | wc -l) / 2))
	mv $(@D)/train $(@D)/source
	mv $(@D)/test $(@D)/camera
	touch $@

# Two domains: a camera with a blur that nobody is told of, and real low-quality photographs.

csr_unknown     := chains/recipes/unknown.toml
csr_real_unknown = $(CSR)/camera/lr
csr_real_real    = $(REAL_LQ_TRAIN)

$(CSR)/camera/done: $(CSR)/halves/done
	$(BIN)/degrade apply $(CSR)/halves/camera --recipe $(csr_unknown) --out $(@D)/lr --force
	touch $@

csr_test_known   := bicubic
csr_test_unknown := $(csr_unknown)

$(foreach set,$(CSR_TESTS),$(CSR)/tests/$(set)/done): $(CSR)/tests/%/done: $(CSR)/photos/split.json
	$(BIN)/degrade apply $(CSR)/photos/test --recipe $(csr_test_$*) --out $(@D)/lr --hr $(@D)/hr --force
	touch $@

# CycleGAN from bicubic LR to each domain. Pairs of the unknown one show how near it comes; it learns nothing from them.

csr_synth = $(BIN)/degrade synth $(CSR)/halves/source --patch 192 --out $(@D)

$(CSR)/shards/bicubic/manifest.json: $(CSR)/halves/done
	$(csr_synth) --pairs $(CSR_PAIRS) --recipe bicubic

$(CSR)/shards/watched/manifest.json: $(CSR)/photos/split.json
	$(BIN)/degrade synth $(CSR)/photos/test --recipe $(csr_unknown) --patch 192 --pairs 60 --out $(@D)

csr_watch_unknown := --validate $(CSR)/shards/watched

$(foreach domain,$(CSR_DOMAINS),$(CSR_RUN)/cyclegan-$(domain)/done): $(CSR_RUN)/cyclegan-%/done: \
    $(CSR)/shards/bicubic/manifest.json $(CSR)/shards/watched/manifest.json $(CSR)/camera/done
	$(call train,cyclegan-small,--shards $(CSR)/shards/bicubic --real-lr "$(csr_real_$*)" $(csr_watch_$*) $(CSR_CYCLE))

$(foreach domain,$(CSR_DOMAINS),$(CSR)/cyclegan-$(domain).pt): $(CSR)/cyclegan-%.pt: $(CSR_RUN)/cyclegan-%/done
	$(BIN)/srzoo export-degrader $(CSR_RUN)/cyclegan-$* -o $@ --force

# $(call csr_recipe,DOMAIN,PROBABILITY)
csr_recipe = --recipe cyclegan --set lr.1.model=$(abspath $(CSR)/cyclegan-$(1).pt) --set lr.1.probability=$(2)

# Of photographs that were nobody's HR: can a fresh critic tell their LR from real photographs? Those that CycleGAN
# learned from, and others.

$(CSR)/held-out/done: $(CSR)/cyclegan-real.pt $(CSR)/halves/done
	for folder in $(CSR)/photos/test $(CSR)/halves/camera; do \
	    $(BIN)/degrade apply $$folder --out $(@D)/bicubic --recipe bicubic --force && \
	    $(BIN)/degrade apply $$folder --out $(@D)/cyclegan $(call csr_recipe,real,1) --force || exit 1; done
	touch $@

csr_apart_learned = $(REAL_LQ_TRAIN)
csr_apart_others  = $(REAL_LQ)

$(foreach set,learned others,$(CSR_RES)/apart-$(set).json): $(CSR_RES)/apart-%.json: $(CSR)/held-out/done
	@mkdir -p $(@D)
	$(BIN)/srzoo tell-apart --real "$(csr_apart_$*)" --json \
	    -m bicubic=$(CSR)/held-out/bicubic -m cyclegan=$(CSR)/held-out/cyclegan > $@.part
	mv $@.part $@

# SRGAN on three sets of the same photographs: bicubic LR, LR of the unknown domain's CycleGAN, and a mix. There a coin
# falls twice for each photograph, so half of them are seen both ways.

$(CSR)/shards/cyclegan/manifest.json: $(CSR)/cyclegan-unknown.pt
	$(csr_synth) --pairs $(CSR_PAIRS) $(call csr_recipe,unknown,1)

$(CSR)/shards/mix/manifest.json: $(CSR)/cyclegan-unknown.pt
	$(csr_synth) --pairs $$((2 * $(CSR_PAIRS))) --variants 2 $(call csr_recipe,unknown,0.5)

$(foreach on,$(CSR_ON),$(CSR_RUN)/psnr-$(on)/done): $(CSR_RUN)/psnr-%/done: $(CSR)/shards/%/manifest.json
	$(call train,srresnet-psnr-small,--shards $(CSR)/shards/$* $(CSR_PSNR))

$(foreach on,$(CSR_ON),$(CSR_RUN)/gan-$(on)/done): $(CSR_RUN)/gan-%/done: $(CSR_RUN)/psnr-%/done
	$(call train,srgan-gan-small,--shards $(CSR)/shards/$* $(CSR_GAN) --set networks.generator.start_from=psnr-$*)

# Both in one, where they are by now: CycleGAN, and the SRGAN that enlarges what it makes.

csr_cycle_roles := degrader restorer critic_real critic_clean

$(CSR_RUN)/joint/done: $(CSR_RUN)/psnr-bicubic/done $(CSR_RUN)/cyclegan-unknown/done
	$(call train,csrgan-joint-small,--shards $(CSR)/shards/bicubic --real-lr $(CSR)/camera/lr $(CSR_JOINT) \
	    --set networks.generator.start_from=psnr-bicubic \
	    $(foreach role,$(csr_cycle_roles),--set networks.$(role).start_from=cyclegan-unknown:$(role)))

# Figures: LR against that of the unknown domain, which is written for the pictures, and SR of both test sets.

$(CSR_RES)/lr.json: $(CSR_RUN)/cyclegan-unknown/done $(CSR_RUN)/joint/done $(CSR)/tests/unknown/done
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate-degrader -m cyclegan=$(CSR_RUN)/cyclegan-unknown -m joint=$(CSR_RUN)/joint --scale 4 --json \
	    --out $(CSR)/shown --hr unknown=$(CSR)/tests/unknown/hr --lr $(CSR)/tests/unknown/lr > $@.part
	mv $@.part $@

CSR_SHOWN  := $(foreach on,$(CSR_ON),gan-$(on)) joint
CSR_MODELS := $(foreach on,$(CSR_ON),psnr-$(on)) $(CSR_SHOWN)

$(CSR_RES)/sr.json: $(foreach run,$(CSR_MODELS),$(CSR_RUN)/$(run)/done) $(foreach set,$(CSR_TESTS),$(CSR)/tests/$(set)/done)
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate $(foreach run,$(CSR_MODELS),-m $(run)=$(CSR_RUN)/$(run)) $(with_lpips) --json \
	    $(foreach set,$(CSR_TESTS),--lr $(CSR)/tests/$(set)/lr --hr $(set)=$(CSR)/tests/$(set)/hr) > $@.part
	mv $@.part $@

# Pictures: LR of both domains of two test photographs, the real photographs beside it, and SR of both and of a real one.

$(CSR)/shown/done: $(CSR_RES)/lr.json $(CSR_RES)/sr.json $(CSR)/held-out/done
	mkdir -p $(@D)/hr $(@D)/lr $(@D)/bicubic-lr $(@D)/real-lr
	n=0; for file in $$(ls $(CSR)/tests/unknown/hr | head -n 2); do n=$$((n + 1)); \
	    cp $(CSR)/tests/unknown/hr/$$file $(@D)/hr/unknown$$n.png; \
	    cp $(CSR)/tests/unknown/lr/$$file $(@D)/lr/unknown$$n.png; \
	    cp $(CSR)/held-out/bicubic/$$file $(@D)/bicubic-lr/$$n.png; \
	    cp $(CSR)/held-out/cyclegan/$$file $(@D)/real-lr/$$n.png; \
	    for one in real bicubic cyclegan joint; do cp $(@D)/unknown/$$one/$$file $(@D)/unknown/$$one/$$n.png; done; done
	cp "$$(ls -d "$(REAL_LQ)"/*.* | head -n 1)" $(@D)/lr/real.png
	$(BIN)/degrade preview $(@D)/hr/unknown1.png $(call csr_recipe,real,0.5) --real "$(REAL_LQ_TRAIN)" --variants 6 \
	    --out $(@D)/real.png --force
	$(foreach run,$(CSR_SHOWN),$(BIN)/srzoo upscale $(@D)/lr --model $(CSR_RUN)/$(run) --output $(@D)/$(run) --force && )true
	touch $@

$(CSR)/report.html: chains/csrgan-small.toml $(CSR)/shown/done $(foreach set,learned others,$(CSR_RES)/apart-$(set).json)
	$(BIN)/srzoo study chains/csrgan-small.toml --root $(CSR) -o $@
