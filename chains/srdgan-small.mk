# SRDGAN in small: `make srdgan-small SR_DATA=DIR`, on real noisy and clean photographs and two CPU cores.
# Every stage is a file below $(SRD): the same command goes on where it was stopped; to do one again, remove its file.
# The same at full size: docs/srdgan.md.

SRD      := build/srdgan
SRD_RUN  := $(SRD)/runs
SRD_RES  := $(SRD)/results
SRD_SETS := polyu renoir
SRD_ON   := bicubic generic gmsr
SRD_VGG  := --vgg-weights "$(VGG19)"
SRD_H2L  := --threads 1 $(SRD_VGG)
SRD_PLAIN := --steps 1000 --threads 1
SRD_PSNR := --steps 600 --patch 64 --threads 1
SRD_GAN  := --steps 200 --threads 1 $(SRD_VGG)

.PHONY: srdgan-small
srdgan-small: $(READY) ## SRDGAN in small, to build/srdgan/report.html (SR_DATA=DIR; an hour)
	$(MAKE) --jobs 2 $(SRD)/report.html

# Noisy shots and their clean means, of two kinds: cameras by day (PolyU), phones and cameras at night (RENOIR).

$(SRD)/photos/split.json: | $(READY)
	$(call need,srdgan-small,"$(PHOTOS)" "$(POLYU)" "$(RENOIR)")
	$(BIN)/python datasets/split.py "$(PHOTOS)" $(SRD)/photos --test 8

# Of a scene that several crops show, all are kept out; and of every maker's cameras their share.
srd_split = $(foreach side,noisy clean,$(BIN)/python datasets/split.py "$(1)/$(side)" $(@D)/$(side) --test $(2) $(3) && )touch $@

$(SRD)/pairs/polyu/done: $(SRD)/photos/split.json
	$(call srd_split,$(POLYU),6,--scene '(.*)_' --each '([A-Z][a-z]+)')

$(SRD)/pairs/renoir/done: $(SRD)/photos/split.json
	$(call srd_split,$(RENOIR),7)

# LR is every fourth pixel of the noisy shot, HR the clean mean.

$(foreach set,$(SRD_SETS),$(SRD)/shards/$(set)/manifest.json): $(SRD)/shards/%/manifest.json: $(SRD)/pairs/%/done
	$(BIN)/degrade pack $(SRD)/pairs/$*/noisy/train $(SRD)/pairs/$*/clean/train --recipe nearest --patch 128 --pairs 2000 \
	    --out $(@D)

$(foreach set,$(SRD_SETS),$(SRD)/tests/$(set)/done): $(SRD)/tests/%/done: $(SRD)/pairs/%/done
	$(BIN)/degrade apply $(SRD)/pairs/$*/noisy/test --recipe nearest --out $(@D)/lr --force
	rm -rf $(@D)/hr && cp -r $(SRD)/pairs/$*/clean/test $(@D)/hr
	touch $@

# H2L: one for each kind of noise, and what noise it makes of photographs kept out.

$(foreach set,$(SRD_SETS),$(SRD_RUN)/h2l-$(set)/done): $(SRD_RUN)/h2l-%/done: $(SRD)/shards/%/manifest.json
	$(call train,srdgan-h2l-small,--shards $(SRD)/shards/$* $(SRD_H2L))

$(foreach set,$(SRD_SETS),$(SRD_RES)/noise-$(set).json): $(SRD_RES)/noise-%.json: $(SRD_RUN)/h2l-%/done
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate-degrader -m h2l=$(SRD_RUN)/h2l-$* --nearest --noise --json --out $(SRD)/shown \
	    --hr $*=$(SRD)/pairs/$*/clean/test --lr $(SRD)/pairs/$*/noisy/test \
	    --fit-hr $(SRD)/pairs/$*/clean/train --fit-lr $(SRD)/pairs/$*/noisy/train > $@.part
	mv $@.part $@

# GMSR: clean photographs through both. Beside it three recipes that learned nothing.

$(foreach set,$(SRD_SETS),$(SRD)/h2l-$(set).pt): $(SRD)/h2l-%.pt: $(SRD_RUN)/h2l-%/done
	$(BIN)/srzoo export-degrader $(SRD_RUN)/h2l-$* -o $@ --force

srd_synth = $(BIN)/degrade synth $(SRD)/photos/train --patch 128 --out $(@D)

$(foreach set,$(SRD_SETS),$(SRD)/shards/gmsr-$(set)/manifest.json): $(SRD)/shards/gmsr-%/manifest.json: $(SRD)/h2l-%.pt
	$(srd_synth) --pairs 1000 --recipe h2l --set lr.0.model=$(CURDIR)/$(SRD)/h2l-$*.pt

$(foreach set,bicubic generic nearest,$(SRD)/shards/$(set)/manifest.json): $(SRD)/shards/%/manifest.json: $(SRD)/photos/split.json
	$(srd_synth) --pairs 2000 --recipe $*

# The same small network on three sets of pairs.

srd_gmsr := gmsr-polyu gmsr-renoir
srd_sets = $(if $(filter gmsr,$(1)),$(srd_gmsr),$(1))

define srd_plain
$(SRD_RUN)/compact-$(1)/done: $(foreach set,$(call srd_sets,$(1)),$(SRD)/shards/$(set)/manifest.json)
	$$(call train,compact-small,$(foreach set,$(call srd_sets,$(1)),--shards $(SRD)/shards/$(set)) $(SRD_PLAIN))
endef
$(foreach on,$(SRD_ON),$(eval $(call srd_plain,$(on))))

# Fig. 6: ESRGAN on bicubic pairs; ESRGAN*, the same on GMSR and nearest; L2H, with SRDGAN's losses, on those, too.

srd_star := $(foreach set,$(srd_gmsr) nearest,--shards $(SRD)/shards/$(set))

$(SRD_RUN)/psnr-bicubic/done: $(SRD)/shards/bicubic/manifest.json
	$(call train,rrdb-psnr-small,--shards $(SRD)/shards/bicubic $(SRD_PSNR))

$(SRD_RUN)/psnr-star/done: $(foreach set,$(srd_gmsr) nearest,$(SRD)/shards/$(set)/manifest.json)
	$(call train,rrdb-psnr-small,$(srd_star) $(SRD_PSNR))

$(SRD_RUN)/esrgan/done: $(SRD_RUN)/psnr-bicubic/done
	$(call train,esrgan-gan-small,--shards $(SRD)/shards/bicubic $(SRD_GAN) --set networks.generator.start_from=psnr-bicubic)

$(SRD_RUN)/esrgan-star/done: $(SRD_RUN)/psnr-star/done
	$(call train,esrgan-gan-small,$(srd_star) $(SRD_GAN) --set networks.generator.start_from=psnr-star)

$(SRD_RUN)/l2h/done: $(SRD_RUN)/psnr-star/done
	$(call train,srdgan-l2h-small,$(srd_star) $(SRD_GAN) --set networks.generator.start_from=psnr-star)

# The last stage: H2L, L2H and both critics together, on RENOIR's pairs.

$(SRD_RUN)/joint/done: $(SRD_RUN)/l2h/done $(SRD_RUN)/h2l-renoir/done $(SRD)/shards/renoir/manifest.json
	$(call train,srdgan-joint-small,--shards $(SRD)/shards/renoir $(SRD_GAN) \
	    --set networks.h2l.start_from=h2l-renoir:degrader --set networks.l2h.start_from=l2h:generator \
	    --set networks.critic_lr.start_from=h2l-renoir:critic --set networks.critic_hr.start_from=l2h:critic)

SRD_MODELS := $(foreach on,$(SRD_ON),compact-$(on)) psnr-bicubic psnr-star esrgan esrgan-star l2h joint

$(SRD_RES)/sr.json: $(foreach run,$(SRD_MODELS),$(SRD_RUN)/$(run)/done) $(foreach set,$(SRD_SETS),$(SRD)/tests/$(set)/done)
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate $(foreach run,$(SRD_MODELS),-m $(run)=$(SRD_RUN)/$(run)) $(with_lpips) --flat-noise --json \
	    $(foreach set,$(SRD_SETS),--lr $(SRD)/tests/$(set)/lr --hr $(set)=$(SRD)/tests/$(set)/hr) > $@.part
	mv $@.part $@

# Pictures: LR made beside real LR (written by the noise's figures), and three scenes enlarged.

$(SRD)/shown/done: $(SRD_RES)/sr.json $(foreach set,$(SRD_SETS),$(SRD_RES)/noise-$(set).json)
	for set in $(SRD_SETS); do mkdir -p $(@D)/hr $(@D)/lr && n=0; for file in $$(ls $(SRD)/tests/$$set/hr | head -n 2); do \
	    n=$$((n + 1)); cp $(SRD)/tests/$$set/hr/$$file $(@D)/hr/$$set$$n.webp; \
	    cp $(SRD)/tests/$$set/lr/$${file%.*}.png $(@D)/lr/$$set$$n.png; \
	    for one in real bicubic bicubic+noise h2l; do cp $(@D)/$$set/$$one/$${file%.*}.png $(@D)/$$set/$$one/$$n.png; done; \
	    done; done
	$(foreach run,$(SRD_MODELS),$(BIN)/srzoo upscale $(@D)/lr --model $(SRD_RUN)/$(run) --output $(@D)/$(run) --force && )true
	touch $@

$(SRD)/report.html: chains/srdgan-small.toml $(SRD)/shown/done
	$(BIN)/srzoo study chains/srdgan-small.toml --root $(SRD) -o $@
