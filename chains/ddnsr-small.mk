# DDNSR in small: `make ddnsr-small SR_DATA=DIR`, on photographs without pairs and two CPU cores.
# Every stage is a file below $(DDN): the same command goes on where it was stopped; to do one again, remove its file.
# The same at full size: docs/ddnsr.md.

DDN         := build/ddnsr
DDN_RUN     := $(DDN)/runs
DDN_RES     := $(DDN)/results
DDN_DOMAINS := corrupted real
DDN_PAIRS   := 1000
DDN_PATCH   := --patch 64 --threads 1
# Every SR network begins at the same PSNR network. DDNSR's ablations, targets and the whole are of one length, DDN_D.
DDN_PSNR    := --steps 1000
DDN_GAN     := --steps 300
DDN_DSGAN   := --steps 600
DDN_D       := --steps 400
DDN_KERNEL  := --steps 400
DDN_APART   := --steps 200
DDN_VGG     := --vgg-weights "$(VGG19)"

.PHONY: ddnsr-small
ddnsr-small: $(READY) ## DDNSR in small, to build/ddnsr/report.html (SR_DATA=DIR; forty-five minutes)
	$(MAKE) --jobs 2 $(DDN)/report.html

# Photographs: ten are kept out. Of the others one half is seen as HR; of the other half only what a camera makes of it.
# DIV2K's crops show few scenes, so all of them are in the first half.

ddn_split = $(BIN)/python datasets/split.py

$(DDN)/photos/split.json: | $(READY)
	$(call need,ddnsr-small,"$(PHOTOS)" "$(PHONE)" "$(REAL_LQ)" "$(REAL_LQ_TRAIN)")
	$(ddn_split) "$(PHOTOS)" $(DDN)/photos --test 10 --train-only 'div2k_*'

$(DDN)/halves/done: $(DDN)/photos/split.json
	$(ddn_split) $(DDN)/photos/train $(@D) --train-only 'div2k_*' --test $$(($$(ls $(DDN)/photos/train | wc -l) / 2))
	mv $(@D)/train $(@D)/source
	mv $(@D)/test $(@D)/camera
	touch $@

# Two domains: a noisy camera whose truth is known, as in track 1 of NTIRE 2020, and real low-quality photographs, as in
# track 2. Twelve pictures of the first are kept out, to be imitated by degraders that never saw them.

ddn_corrupted   := chains/recipes/corrupted.toml
ddn_lr_corrupted = $(DDN)/camera/train
ddn_lr_real      = $(REAL_LQ_TRAIN)

$(DDN)/camera/split.json: $(DDN)/halves/done
	$(BIN)/degrade apply $(DDN)/halves/camera --recipe $(ddn_corrupted) --out $(DDN)/corrupted --force
	$(ddn_split) $(DDN)/corrupted $(@D) --test 12

$(DDN)/tests/done: $(DDN)/photos/split.json
	$(BIN)/degrade apply $(DDN)/photos/test --recipe $(ddn_corrupted) --out $(@D)/lr --hr $(@D)/hr --force
	touch $@

# Pairs of the corrupted domain, which no network learns from: PSNR over steps is of them.

$(DDN)/shards/watched/manifest.json: $(DDN)/photos/split.json
	$(BIN)/degrade synth $(DDN)/photos/test --recipe $(ddn_corrupted) --patch 128 --pairs 40 --out $(@D)

ddn_watch_corrupted := --validate $(DDN)/shards/watched --set watch.validate_every=100

# Bicubic pairs, and ESRGAN on them: where the others begin. `start_from` in a preset finds the run of that name beside
# its own, so these are called like their presets.

ddn_synth = $(BIN)/degrade synth $(DDN)/halves/source --patch 128 --pairs $(DDN_PAIRS) --out $(@D)

$(DDN)/shards/bicubic/manifest.json: $(DDN)/halves/done
	$(ddn_synth) --recipe bicubic

$(DDN_RUN)/rrdb-psnr-small/done: $(DDN)/shards/bicubic/manifest.json
	$(call train,rrdb-psnr-small,--shards $(DDN)/shards/bicubic $(DDN_PATCH) $(DDN_PSNR))

$(DDN_RUN)/esrgan-gan-small/done: $(DDN_RUN)/rrdb-psnr-small/done
	$(call train,esrgan-gan-small,--shards $(DDN)/shards/bicubic $(DDN_PATCH) $(DDN_GAN) $(DDN_VGG))

# Impressionism: the camera's noise after bicubic (its track 1); for real photographs after their own kernels (track 2).
# LR is small and its noise strong, so smaller and rougher patches than the paper's pass for flat.
# Code 3: some photographs gave no kernel, and are left out.

$(DDN)/pools/corrupted/done: $(DDN)/camera/split.json
	@mkdir -p $(@D)
	$(BIN)/degrade harvest $(ddn_lr_corrupted) --patch 24 --max-variance 200 --detrend -o $(@D)/noise.npz --force
	touch $@

$(DDN)/pools/real/done: $(DDN)/photos/split.json
	$(ddn_split) "$(REAL_LQ_TRAIN)" $(@D)/photos --test 4
	$(BIN)/degrade harvest "$(REAL_LQ_TRAIN)" --patch 64 --published -o $(@D)/noise.npz --force
	OMP_NUM_THREADS=1 $(BIN)/srzoo kernel $(@D)/photos/test -o $(@D)/kernels.npz --scale 4 $(DDN_KERNEL) || test $$? = 3
	touch $@

ddn_noise            = pool=$(abspath $(DDN)/pools/$(1)/noise.npz)
ddn_inject_corrupted = --recipe chains/recipes/bicubic-noise.toml --set lr.1.$(call ddn_noise,corrupted)
ddn_inject_real      = --recipe realsr --set lr.0.pool=$(abspath $(DDN)/pools/real/kernels.npz) \
    --set lr.2.$(call ddn_noise,real)

# In each domain: Impressionism on those, DSGAN, and ESRGAN-FS on what DSGAN makes. Then DDNSR's own pairs, and ESRGAN on
# them.

define ddn_domain
$(DDN)/shards/impressionism-$(1)/manifest.json: $(DDN)/pools/$(1)/done $(DDN)/halves/done
	$$(ddn_synth) $$(ddn_inject_$(1))

$(DDN_RUN)/impressionism-$(1)/done: $(DDN)/shards/impressionism-$(1)/manifest.json $(DDN_RUN)/rrdb-psnr-small/done
	$$(call train,impressionism-small,--shards $(DDN)/shards/impressionism-$(1) $(DDN_PATCH) $(DDN_GAN) $$(DDN_VGG))

$(DDN_RUN)/dsgan-$(1)/done: $(DDN)/shards/bicubic/manifest.json $(DDN)/camera/split.json
	$$(call train,dsgan-small,--shards $(DDN)/shards/bicubic --real-lr "$$(ddn_lr_$(1))" $(DDN_PATCH) $(DDN_DSGAN) $$(DDN_VGG))

$(DDN)/shards/dsgan-$(1)/manifest.json: $(DDN)/degraders/dsgan-$(1).pt
	$$(ddn_synth) --recipe dsgan --set lr.1.model=$(abspath $(DDN)/degraders/dsgan-$(1).pt)

$(DDN_RUN)/esrgan-fs-$(1)/done: $(DDN)/shards/dsgan-$(1)/manifest.json $(DDN_RUN)/esrgan-gan-small/done
	$$(call train,esrgan-fs-small,--shards $(DDN)/shards/dsgan-$(1) $(DDN_PATCH) $(DDN_GAN) $$(DDN_VGG))
endef
$(foreach domain,$(DDN_DOMAINS),$(eval $(call ddn_domain,$(domain))))

$(DDN)/degraders/%.pt: $(DDN_RUN)/%/done
	@mkdir -p $(@D)
	$(BIN)/srzoo export-degrader $(DDN_RUN)/$* -o $@ --force

$(DDN)/shards/ddnsr/manifest.json: $(DDN)/degraders/ddnsr.pt $(DDN)/camera/split.json
	$(ddn_synth) $(ddn_made_ddnsr)

$(DDN_RUN)/esrgan-ddnsr/done: $(DDN)/shards/ddnsr/manifest.json $(DDN_RUN)/rrdb-psnr-small/done
	$(call train,esrgan-gan-small,--shards $(DDN)/shards/ddnsr $(DDN_PATCH) $(DDN_GAN) $(DDN_VGG))

# DDNSR on the corrupted domain: the whole (E), ablations A to D, and the SR network with L2 alone.

DDN_PARTS       := ddnsr no-content no-adversarial no-cycle zeros
ddn_without      = $(foreach key,$(1),--set loss.$(key)=0)
ddn_no-content  := $(call ddn_without,content)
ddn_no-adversarial := $(call ddn_without,adversarial)
ddn_no-cycle    := $(call ddn_without,cycle)
ddn_zeros       := --set networks.degrader.single=true
ddn_l2          := $(ddnsr_l2)

# $(call ddn_train,SHARDS,DOMAIN,OPTIONS)
ddn_train = $(call train,ddnsr-paper-small,--shards $(DDN)/shards/$(1) --real-lr "$(ddn_lr_$(2))" $(ddn_watch_$(2)) \
    $(DDN_PATCH) $(DDN_D) $(DDN_VGG) $(3))

$(foreach part,$(DDN_PARTS) l2,$(DDN_RUN)/$(part)/done): $(DDN_RUN)/%/done: $(DDN)/camera/split.json \
    $(DDN)/shards/bicubic/manifest.json $(DDN)/shards/watched/manifest.json $(DDN_RUN)/rrdb-psnr-small/done
	$(call ddn_train,bicubic,corrupted,$(ddn_$*))

# The three targets, on real photographs: DIV2K is the sharp half of the photographs, the clean-up real photographs at half
# their size, Canon a DSLR's patches.

$(DDN)/shards/cleanup/manifest.json: $(DDN)/photos/split.json
	$(BIN)/degrade synth "$(REAL_LQ_TRAIN)" --recipe cleanup --patch 128 --pairs $(DDN_PAIRS) --out $(@D)

$(DDN)/shards/canon/manifest.json: $(DDN)/photos/split.json
	$(BIN)/degrade synth "$(PHONE)/hr" --recipe bicubic --patch 96 --pairs $(DDN_PAIRS) --out $(@D)

DDN_TARGETS := div2k cleanup canon
ddn_hr       = $(if $(filter div2k,$(1)),bicubic,$(1))

define ddn_target
$(DDN_RUN)/target-$(1)/done: $(DDN)/shards/$(call ddn_hr,$(1))/manifest.json $(DDN_RUN)/rrdb-psnr-small/done
	$$(call ddn_train,$(call ddn_hr,$(1)),real)
endef
$(foreach target,$(DDN_TARGETS),$(eval $(call ddn_target,$(target))))

# Beside the twelve pictures kept out, one photograph with weak and with strong noise is imitated. Three others take it on.

ddn_strengths := weak strong
ddn_weak      := 2
ddn_strong    := 18

$(DDN)/references/done: $(DDN)/tests/done
	rm -rf $(@D) && mkdir -p $(@D)/hr $(@D)/photo
	for file in $$(ls $(DDN)/tests/hr | head -n 3); do cp $(DDN)/tests/hr/$$file $(@D)/hr/ || exit 1; done
	cp $(DDN)/tests/hr/$$(ls $(DDN)/tests/hr | tail -n 1) $(@D)/photo/1.png
	$(foreach one,$(ddn_strengths),$(BIN)/degrade apply $(@D)/photo/1.png --recipe $(ddn_corrupted) --out $(@D)/$(one) \
	    --set 'lr.1.sigma_8bit_range=[$(ddn_$(one)), $(ddn_$(one))]' --force && )true
	touch $@

# Figures: SR of the corrupted test photographs; NIQE of real ones enlarged; whether made noise follows the reference's.

DDN_TRACK1 := impressionism-corrupted esrgan-fs-corrupted esrgan-ddnsr $(DDN_PARTS) l2
DDN_TRACK2 := impressionism-real esrgan-fs-real $(foreach target,$(DDN_TARGETS),target-$(target))
ddn_models  = -m esrgan=$(DDN_RUN)/esrgan-gan-small $(foreach run,$(1),-m $(run)=$(DDN_RUN)/$(run))
ddn_done    = $(foreach run,esrgan-gan-small $(1),$(DDN_RUN)/$(run)/done)

$(DDN_RES)/corrupted.json: $(call ddn_done,$(DDN_TRACK1)) $(DDN)/tests/done
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate $(call ddn_models,$(DDN_TRACK1)) $(with_lpips) --protocol rgb --flat-noise --json \
	    --lr $(DDN)/tests/lr --hr corrupted=$(DDN)/tests/hr > $@.part
	mv $@.part $@

# NIQE sees the enlarged picture alone; what stands for the truth is bicubic's.

$(DDN_RES)/real.json: $(call ddn_done,$(DDN_TRACK2))
	@mkdir -p $(@D)
	$(BIN)/srzoo upscale "$(REAL_LQ)" --model bicubic --scale 4 --output $(DDN)/enlarged --force
	$(BIN)/srzoo evaluate $(call ddn_models,$(DDN_TRACK2)) --niqe "$(NIQE)" --json \
	    --lr "$(REAL_LQ)" --hr real=$(DDN)/enlarged > $@.part
	mv $@.part $@

$(DDN_RES)/noise.json: $(foreach run,$(DDN_PARTS),$(DDN_RUN)/$(run)/done) $(DDN)/references/done
	@mkdir -p $(@D) $(DDN)/shown
	$(BIN)/srzoo follow-noise $(foreach run,$(DDN_PARTS),-m $(run)=$(DDN_RUN)/$(run)) --hr $(DDN)/references/hr \
	    --reference $(DDN)/camera/test --plot $(DDN)/shown/noise.png --json > $@.part
	mv $@.part $@

# Of the HR photographs: can a fresh critic tell their LR from the camera's pictures?

ddn_made_bicubic       := --recipe bicubic
ddn_made_impressionism  = $(ddn_inject_corrupted)
ddn_made_dsgan          = --recipe dsgan --set lr.1.model=$(abspath $(DDN)/degraders/dsgan-corrupted.pt)
ddn_made_ddnsr          = --recipe ddnsr --set lr.0.model=$(abspath $(DDN)/degraders/ddnsr.pt) \
    --set lr.0.reference=$(abspath $(ddn_lr_corrupted))
DDN_MADE               := bicubic impressionism dsgan ddnsr

$(DDN)/made/done: $(DDN)/pools/corrupted/done $(DDN)/degraders/dsgan-corrupted.pt $(DDN)/degraders/ddnsr.pt
	$(foreach by,$(DDN_MADE),$(BIN)/degrade apply $(DDN)/halves/source $(ddn_made_$(by)) --out $(@D)/$(by) --force && )true
	touch $@

$(DDN_RES)/apart.json: $(DDN)/made/done $(DDN)/camera/split.json
	@mkdir -p $(@D)
	$(BIN)/srzoo tell-apart --real $(DDN)/corrupted $(foreach by,$(DDN_MADE),-m $(by)=$(DDN)/made/$(by)) $(DDN_APART) \
	    --json > $@.part
	mv $@.part $@

# Pictures. LR of one photograph with the noise of another; SR of two corrupted photographs and of three real ones; the
# sheet of recipe `ddnsr`.

DDN_SHOWN := $(DDN)/shown

ddn_imitate = $(BIN)/degrade apply $(DDN_SHOWN)/hr/1.png --out $(DDN_SHOWN)/$(2)-$(1) --recipe ddnsr \
    --set lr.0.model=$(abspath $(DDN)/degraders/$(1).pt) --set lr.0.reference=$(abspath $(DDN)/references/$(2)) --force

ddn_enlarge = $(foreach run,esrgan-gan-small $(2),$(BIN)/srzoo upscale $(DDN_SHOWN)/$(1) --model $(DDN_RUN)/$(run) \
    --output $(DDN_SHOWN)/$(1)-$(run) --force && )true

$(DDN_SHOWN)/done: $(DDN_RES)/corrupted.json $(DDN_RES)/real.json $(DDN_RES)/noise.json $(DDN)/references/done \
    $(foreach run,$(DDN_PARTS),$(DDN)/degraders/$(run).pt)
	mkdir -p $(@D)/hr $(@D)/lr $(@D)/real $(@D)/reference
	n=0; for file in $$(ls $(DDN)/tests/hr | head -n 2); do n=$$((n + 1)); \
	    cp $(DDN)/tests/hr/$$file $(@D)/hr/$$n.png && cp $(DDN)/tests/lr/$${file%.*}.png $(@D)/lr/$$n.png || exit 1; done
	ls -d "$(REAL_LQ)"/*.* | head -n 3 | { n=0; while read -r file; do n=$$((n + 1)); cp "$$file" $(@D)/real/$$n.png; done; }
	$(foreach one,$(ddn_strengths),cp $(DDN)/references/$(one)/1.png $(@D)/reference/$(one).png && )true
	$(BIN)/degrade apply $(@D)/hr/1.png --recipe bicubic --out $(@D)/bicubic --force
	$(foreach one,$(ddn_strengths),$(foreach run,$(DDN_PARTS),$(call ddn_imitate,$(run),$(one)) && ))true
	$(call ddn_enlarge,lr,$(DDN_TRACK1))
	$(call ddn_enlarge,real,$(DDN_TRACK2))
	$(BIN)/srzoo upscale $(@D)/real --model bicubic --scale 4 --output $(@D)/real-bicubic --force
	$(BIN)/degrade preview $(@D)/hr/1.png --recipe ddnsr --set lr.0.model=$(abspath $(DDN)/degraders/ddnsr.pt) \
	    --set lr.0.reference=$(abspath $(DDN)/camera/test) --real $(DDN)/camera/test --variants 6 --out $(@D)/sheet.png --force
	touch $@

$(DDN)/report.html: chains/ddnsr-small.toml $(DDN_SHOWN)/done $(DDN_RES)/apart.json
	$(BIN)/srzoo study chains/ddnsr-small.toml --root $(DDN) -o $@
