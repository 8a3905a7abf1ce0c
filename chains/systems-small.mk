# Eight ways to make LR, and the same SR network on each: `make systems-small SR_DATA=DIR`, on two CPU cores.
# Every stage is a file below $(SYS): the same command goes on where it was stopped; to do one again, remove its file.

SYS         := build/systems
SYS_RUN     := $(SYS)/runs
SYS_RES     := $(SYS)/results
SYS_ON      := bicubic generic realsr dsgan cyclegan ddnsr h2l dml
SYS_MADE    := bicubic unknown bsrgan realesrgan
SYS_REAL    := city100 realsr polyu renoir
SYS_PAIRS   := 2000
SYS_KERNEL  := --steps 750
SYS_RESTYLE := --steps 1500 --threads 1
SYS_PSNR    := --steps 600 --patch 64 --threads 1
SYS_DDNSR   := --steps 500 --threads 1 --vgg-weights "$(VGG19)" --set optimisers.degrader.learning_rate=1e-3 \
    $(ddnsr_l2)
SYS_SR      := --steps 1000 --threads 1

.PHONY: systems-small
systems-small: $(READY) ## eight degradations, one SR network on each, to build/systems/report.html (SR_DATA=DIR; forty minutes)
	$(MAKE) --jobs 2 $(SYS)/report.html

# Ten photographs are kept out. DIV2K's crops show few scenes, so none of them is.

$(SYS)/photos/split.json: | $(READY)
	$(call need,systems-small,"$(PHOTOS)" "$(REAL_LQ_TRAIN)" "$(CITY100)" "$(REALSR)" "$(POLYU)" "$(RENOIR)")
	$(BIN)/python datasets/split.py "$(PHOTOS)" $(SYS)/photos --test 10 --train-only 'div2k_*'

# One domain for all that learn without pairs: real low-quality photographs. A pool of their kernels and noise, two
# networks that restyle bicubic LR, and DDNSR, whose SR network begins as a PSNR network on bicubic pairs and has L2 alone,
# as only its degrader is used. Code 3: some photographs gave no kernel, and are left out.

$(SYS)/pool/done: $(SYS)/photos/split.json
	@mkdir -p $(@D)
	$(BIN)/srzoo kernel "$(REAL_LQ_TRAIN)" --scale 4 $(SYS_KERNEL) --out $(@D)/kernels.npz || test $$? = 3
	$(BIN)/degrade harvest "$(REAL_LQ_TRAIN)" --patch 32 --detrend --out $(@D)/noise.npz --force
	touch $@

$(SYS)/shards/bicubic-192/manifest.json: $(SYS)/photos/split.json
	$(BIN)/degrade synth $(SYS)/photos/train --recipe bicubic --patch 192 --pairs $(SYS_PAIRS) --out $(@D)

sys_options_dsgan := --vgg-weights "$(VGG19)"

$(foreach net,cyclegan dsgan,$(SYS_RUN)/$(net)/done): $(SYS_RUN)/%/done: $(SYS)/shards/bicubic-192/manifest.json
	$(call train,$*-small,--shards $(SYS)/shards/bicubic-192 --real-lr "$(REAL_LQ_TRAIN)" $(SYS_RESTYLE) $(sys_options_$*))

$(SYS_RUN)/rrdb-psnr-small/done: $(SYS)/shards/bicubic/manifest.json
	$(call train,rrdb-psnr-small,--shards $(SYS)/shards/bicubic $(SYS_PSNR))

$(SYS_RUN)/ddnsr/done: $(SYS_RUN)/rrdb-psnr-small/done
	$(call train,ddnsr-paper-small,--shards $(SYS)/shards/bicubic --real-lr "$(REAL_LQ_TRAIN)" $(SYS_DDNSR))

$(foreach net,cyclegan dsgan ddnsr,$(SYS)/$(net).pt): $(SYS)/%.pt: $(SYS_RUN)/%/done
	$(BIN)/srzoo export-degrader $(SYS_RUN)/$* --output $@ --force

# The same photographs through each. Of CycleGAN's recipe all LR is the network's, none stays bicubic; H2L and DML are
# the models that come with degrade.

sys_recipe_bicubic  := bicubic
sys_recipe_generic  := generic
sys_recipe_realsr   := realsr --set lr.0.pool=$(SYS)/pool/kernels.npz --set lr.2.pool=$(SYS)/pool/noise.npz
sys_recipe_dsgan    := dsgan --set lr.1.model=$(SYS)/dsgan.pt
sys_recipe_cyclegan := cyclegan --set lr.1.model=$(SYS)/cyclegan.pt --set lr.1.probability=1
sys_recipe_ddnsr    := ddnsr --set lr.0.model=$(SYS)/ddnsr.pt --set "lr.0.reference=$(REAL_LQ_TRAIN)"
sys_recipe_h2l      := h2l
sys_recipe_dml      := dml-x4

$(foreach net,dsgan cyclegan ddnsr,$(eval $(SYS)/shards/$(net)/manifest.json: $(SYS)/$(net).pt))
$(SYS)/shards/realsr/manifest.json: $(SYS)/pool/done

$(foreach on,$(SYS_ON),$(SYS)/shards/$(on)/manifest.json): $(SYS)/shards/%/manifest.json: $(SYS)/photos/split.json
	$(BIN)/degrade synth $(SYS)/photos/train --patch 128 --pairs $(SYS_PAIRS) --out $(@D) --recipe $(sys_recipe_$*)

$(foreach on,$(SYS_ON),$(SYS_RUN)/compact-$(on)/done): $(SYS_RUN)/compact-%/done: $(SYS)/shards/%/manifest.json
	$(call train,compact-small,--shards $(SYS)/shards/$* $(SYS_SR))

# Test photographs spoiled in four ways, of which only bicubic is anybody's own.

sys_test_unknown := chains/recipes/unknown.toml

$(foreach set,$(SYS_MADE),$(SYS)/tests/$(set)/done): $(SYS)/tests/%/done: $(SYS)/photos/split.json
	$(BIN)/degrade apply $(SYS)/photos/test --recipe $(or $(sys_test_$*),$*) --out $(@D)/lr --hr $(@D)/hr --force
	touch $@

# Real pairs have one size, so their LR is made four times smaller: blurred ones by bicubic, noisy ones by every fourth
# pixel, which leaves noise as it is. H2L and DML saw scenes of PolyU and City100; only those that they did not see count.

sys_kept = for side in $(2) $(3); do \
	$(BIN)/python datasets/split.py "$(1)/$$side" $(SYS)/pairs/$(notdir $(@D))/$$side $(4) || exit 1; done
sys_pairs = $(BIN)/degrade apply "$(1)" --recipe $(3) --out $(@D)/lr --force && \
	rm -rf $(@D)/hr && cp -r "$(2)" $(@D)/hr && touch $@

$(SYS)/tests/city100/done: $(SYS)/photos/split.json
	$(call sys_kept,$(CITY100),lr,hr,--test 2)
	$(call sys_pairs,$(SYS)/pairs/city100/lr/test,$(SYS)/pairs/city100/hr/test,bicubic)

$(SYS)/tests/realsr/done: $(SYS)/photos/split.json
	$(call sys_pairs,$(REALSR)/lr,$(REALSR)/hr,bicubic)

$(SYS)/tests/polyu/done: $(SYS)/photos/split.json
	$(call sys_kept,$(POLYU),noisy,clean,--test 6 --scene '(.*)_' --each '([A-Z][a-z]+)')
	$(call sys_pairs,$(SYS)/pairs/polyu/noisy/test,$(SYS)/pairs/polyu/clean/test,nearest)

$(SYS)/tests/renoir/done: $(SYS)/photos/split.json
	$(call sys_pairs,$(RENOIR)/noisy,$(RENOIR)/clean,nearest)

$(SYS_RES)/sr.json: $(foreach on,$(SYS_ON),$(SYS_RUN)/compact-$(on)/done) \
    $(foreach set,$(SYS_MADE) $(SYS_REAL),$(SYS)/tests/$(set)/done)
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate $(foreach on,$(SYS_ON),-m compact-$(on)=$(SYS_RUN)/compact-$(on)) $(with_lpips) --json \
	    $(foreach set,$(SYS_MADE) $(SYS_REAL),--lr $(SYS)/tests/$(set)/lr --hr $(set)=$(SYS)/tests/$(set)/hr) > $@.part
	mv $@.part $@

# Pictures: what each makes of a photograph kept out, and what the networks make of one picture of each of four sets.

SYS_SHOWN := unknown bsrgan realsr renoir

$(SYS)/shown/done: $(SYS_RES)/sr.json
	rm -rf $(@D) && mkdir -p $(@D)/hr $(@D)/lr
	n=0; for set in $(SYS_SHOWN); do n=$$((n + 1)); \
	    file=$$(ls $(SYS)/tests/$$set/hr | grep -v json | head -n $$n | tail -n 1); \
	    cp $(SYS)/tests/$$set/hr/$$file $(@D)/hr/$$set.$${file##*.}; \
	    cp $(SYS)/tests/$$set/lr/$${file%.*}.png $(@D)/lr/$$set.png; done
	$(foreach on,$(SYS_ON),$(BIN)/degrade apply $(@D)/hr/unknown.png --out $(@D)/made/$(on) --recipe $(sys_recipe_$(on)) && )true
	$(foreach on,$(SYS_ON),$(BIN)/srzoo upscale $(@D)/lr --model $(SYS_RUN)/compact-$(on) --output $(@D)/compact-$(on) && )true
	touch $@

$(SYS)/report.html: chains/systems-small.toml $(SYS)/shown/done
	$(BIN)/srzoo study chains/systems-small.toml --root $(SYS) -o $@
