# Ren et al. 2020 in small: `make ren2020-small SR_DATA=DIR`, on real photographs and two CPU cores, within an hour.
# Every stage is a file below $(REN): the same command goes on where it was stopped; to do one again, remove its file.
# The same at full size: docs/ren2020.md.

REN       := build/ren2020
REN_RUN   := $(REN)/runs
REN_PAIRS := 6000
# Two runs side by side on one core each get further than one on two.
REN_PSNR  := --steps 2500 --patch 64 --threads 1
REN_GAN   := --steps 1500 --patch 64 --threads 1 --vgg-weights "$(VGG19)"
REN_PHONE := --steps 300 --patch 64 --threads 1 --vgg-weights "$(VGG19)"
REN_SETS  := generic bsrgan realesrgan

.PHONY: ren2020-small
ren2020-small: $(READY) ## Ren et al. 2020 in small, to build/ren2020/report.html (SR_DATA=DIR; an hour)
	$(MAKE) --jobs 2 $(REN)/report.html

# Photographs: 10 bright and 8 dark ones are kept out; DIV2K's crops overlap, so none of them is.

$(REN)/photos/split.json: | $(READY)
	$(call need,ren2020-small,"$(PHOTOS)" "$(PHONE)")
	$(BIN)/python datasets/split.py "$(PHOTOS)" $(REN)/photos --test 10 --dark 8 --train-only 'div2k_*'

$(REN)/phone/split: $(REN)/photos/split.json
	$(BIN)/python datasets/split.py "$(PHONE)/lr" $(REN)/phone/lr --test 24
	$(BIN)/python datasets/split.py "$(PHONE)/hr" $(REN)/phone/hr --test 24
	touch $@

# Shards to train on, and the kept-out photographs spoiled in three ways, two of which nobody trains on.

$(REN)/shards/%/manifest.json: $(REN)/photos/split.json
	$(BIN)/degrade synth $(REN)/photos/train --recipe $* --pairs $(REN_PAIRS) --patch 128 --out $(REN)/shards/$*

$(REN)/spoiled/%/done: $(REN)/photos/split.json
	$(BIN)/degrade apply $(REN)/photos/test --recipe $* --out $(REN)/spoiled/$*/lr --hr $(REN)/spoiled/$*/hr --force
	touch $@

# Networks. `start_from` in a preset finds the run of that name beside its own, so runs are called like their presets.

$(REN_RUN)/rcan-psnr-small/done: $(REN)/shards/generic/manifest.json
	$(call train,rcan-psnr-small,--shards $(REN)/shards/generic $(REN_PSNR))

$(REN_RUN)/ren2020-gan-r-small/done: $(REN_RUN)/rcan-psnr-small/done
	$(call train,ren2020-gan-r-small,--shards $(REN)/shards/generic $(REN_GAN))

$(REN_RUN)/ren2020-gan-s-small/done: $(REN_RUN)/rcan-psnr-small/done
	$(call train,ren2020-gan-s-small,--shards $(REN)/shards/generic $(REN_GAN))

# The same two stages on bicubic pairs: what ESRGAN is in the paper's Table 1.

$(REN_RUN)/psnr-bicubic/done: $(REN)/shards/bicubic/manifest.json
	$(call train,rcan-psnr-small,--shards $(REN)/shards/bicubic $(REN_PSNR))

$(REN_RUN)/gan-bicubic/done: $(REN_RUN)/psnr-bicubic/done
	$(call train,ren2020-gan-r-small,--shards $(REN)/shards/bicubic $(REN_GAN) \
	    --set networks.generator.start_from=psnr-bicubic)

REN_PSNR_NET := --model $(REN_RUN)/rcan-psnr-small
REN_FUSED    := --fuse ren2020 --model $(REN_RUN)/ren2020-gan-r-small --model $(REN_RUN)/ren2020-gan-s-small

# The mobile pairs of Table 2. T1 to T3: the phone's patch, and the DSLR's made four times larger in three ways;
# T4: the phone's patch made smaller, and the DSLR's.

ren_enlarge = $(BIN)/srzoo upscale $(REN)/phone/hr/train $(1) --output $(@D)/hr --force && \
	$(BIN)/degrade pack $(REN)/phone/lr/train $(@D)/hr --patch 128 --out $(@D)/shards && touch $@

$(REN)/mobile/t1/done: $(REN)/phone/split
	$(call ren_enlarge,--model bicubic --scale 4)

$(REN)/mobile/t2/done: $(REN)/phone/split $(REN_RUN)/ren2020-gan-r-small/done $(REN_RUN)/ren2020-gan-s-small/done
	$(call ren_enlarge,$(REN_FUSED))

$(REN)/mobile/t3/done: $(REN)/phone/split $(REN_RUN)/rcan-psnr-small/done
	$(call ren_enlarge,$(REN_PSNR_NET))

$(REN)/mobile/t4/done: $(REN)/phone/split
	$(BIN)/degrade pack $(REN)/phone/lr/train $(REN)/phone/hr/train --recipe bicubic --patch 96 --out $(@D)/shards
	touch $@

$(REN_RUN)/mobile-%/done: $(REN)/mobile/%/done $(REN_RUN)/ren2020-gan-r-small/done
	$(call train,ren2020-mobile-r-small,--shards $(REN)/mobile/$*/shards $(REN_PHONE))

# Figures.

REN_MODELS := -m psnr-bicubic=$(REN_RUN)/psnr-bicubic -m gan-bicubic=$(REN_RUN)/gan-bicubic \
	-m psnr=$(REN_RUN)/rcan-psnr-small -m gan-r=$(REN_RUN)/ren2020-gan-r-small \
	-m gan-s=$(REN_RUN)/ren2020-gan-s-small -m fused=ren2020:gan-r,gan-s
REN_MOBILE := $(foreach t,t1 t2 t3 t4,-m $(t)=$(REN_RUN)/mobile-$(t))
ren_set = --hr $(1)=$(REN)/spoiled/$(2)/hr$(3) --lr $(REN)/spoiled/$(2)/lr$(3)

$(REN)/results/table1.json: $(foreach s,$(REN_SETS),$(REN)/spoiled/$(s)/done) \
    $(foreach r,psnr-bicubic gan-bicubic rcan-psnr-small ren2020-gan-r-small ren2020-gan-s-small,$(REN_RUN)/$(r)/done)
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate $(REN_MODELS) $(with_lpips) --protocol rgb --flat-noise --json \
	    $(call ren_set,dark,generic,/dark) $(call ren_set,bright,generic,/bright) \
	    $(call ren_set,bsrgan,bsrgan,) $(call ren_set,realesrgan,realesrgan,) > $@.part
	mv $@.part $@

# T1 to T4 at the size of the DSLR's patch, which is the phone's; NIQE sees the enlarged picture itself.

$(REN)/results/table2.json: $(foreach t,t1 t2 t3 t4,$(REN_RUN)/mobile-$(t)/done)
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate -m gan-r=$(REN_RUN)/ren2020-gan-r-small $(REN_MOBILE) $(with_lpips) --protocol rgb --json \
	    --scale 1 --resize --lr $(REN)/phone/lr/test --hr phone=$(REN)/phone/hr/test > $@.part
	mv $@.part $@

$(REN)/results/niqe.json: $(foreach t,t1 t2 t3 t4,$(REN_RUN)/mobile-$(t)/done)
	@mkdir -p $(@D)
	$(BIN)/srzoo upscale $(REN)/phone/hr/test --model bicubic --scale 4 --output $(REN)/phone/enlarged --force
	$(BIN)/srzoo evaluate -m gan-r=$(REN_RUN)/ren2020-gan-r-small $(REN_MOBILE) --niqe "$(NIQE)" --json \
	    --lr $(REN)/phone/lr/test --hr phone=$(REN)/phone/enlarged > $@.part
	mv $@.part $@

# Pictures: the first three dark and bright ones, and the first four of the phone's patches.

ren_first = n=0; for file in $$(ls $(1) | grep -v json | head -n $(2)); do n=$$((n + 1)); \
	cp $(1)/$$file $(REN)/shown/$(3)$$n.$${file\#\#*.}; done
ren_show = $(BIN)/srzoo upscale $(REN)/shown/$(1) $(3) --output $(REN)/shown/$(2) --force

$(REN)/shown/done: $(REN)/results/table1.json $(REN)/results/table2.json
	rm -rf $(REN)/shown && mkdir -p $(REN)/shown/lr $(REN)/shown/hr $(REN)/shown/phone $(REN)/shown/dslr
	for side in lr hr; do for kind in dark bright; do \
	    $(call ren_first,$(REN)/spoiled/generic/$$side/$$kind,3,$$side/$$kind); done; done
	$(call ren_first,$(REN)/phone/lr/test,6,phone/)
	$(call ren_first,$(REN)/phone/hr/test,6,dslr/)
	$(call ren_show,lr,bicubic,--model bicubic --scale 4)
	$(call ren_show,lr,gan-bicubic,--model $(REN_RUN)/gan-bicubic)
	$(call ren_show,lr,psnr,$(REN_PSNR_NET))
	$(call ren_show,lr,gan-r,--model $(REN_RUN)/ren2020-gan-r-small)
	$(call ren_show,lr,gan-s,--model $(REN_RUN)/ren2020-gan-s-small)
	$(call ren_show,lr,fused,$(REN_FUSED) -v)
	$(foreach t,t1 t2 t3 t4,$(call ren_show,phone,$(t),--model $(REN_RUN)/mobile-$(t)) && )true
	for number in 1 2 3; do cmp $(REN)/shown/gan-r/bright$${number}_x4.png $(REN)/shown/fused/bright$${number}_x4.png || exit 1; done
	touch $@

$(REN)/report.html: chains/ren2020-small.toml $(REN)/results/niqe.json $(REN)/shown/done
	$(BIN)/srzoo study chains/ren2020-small.toml --root $(REN) -o $@
