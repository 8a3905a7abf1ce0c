# DML in small: `make dml-small SR_DATA=DIR`, on real optical pairs and two CPU cores.
# Every stage is a file below $(DML): the same command goes on where it was stopped; to do one again, remove its file.
# The same at full size: docs/dml.md.

DML       := build/dml
DML_RUN   := $(DML)/runs
DML_RES   := $(DML)/results
DML_SETS  := planted city100 realsr
DML_NETS  := dml directnet directkpn
# DirectKPN, ten times as slow as the two others, is left out where there is no claim about it.
DML_NETS_realsr := dml directnet
dml_nets   = $(or $(DML_NETS_$(1)),$(DML_NETS))
DML_ON    := real bicubic generic dml both
# Turned and mirrored pairs would ask for a kernel that is symmetric; a lens's is not.
DML_LEARN := --steps 1000 --threads 1 --set data.augment=false
DML_SR    := --steps 1200 --threads 1 --set scale=1

.PHONY: dml-small
dml-small: $(READY) ## DML in small, to build/dml/report.html (SR_DATA=DIR; an hour)
	$(MAKE) --jobs 2 $(DML)/report.html

# Pairs of three kinds: with a planted blur that is known, of a zoom lens (City100), and of two cameras (RealSR).

$(DML)/photos/split.json: | $(READY)
	$(call need,dml-small,"$(PHOTOS)" "$(CITY100)" "$(REALSR)")
	$(BIN)/python datasets/split.py "$(PHOTOS)" $(DML)/photos --test 8

$(DML)/pairs/planted/done: $(DML)/photos/split.json
	$(foreach part,train test,$(BIN)/python datasets/planted.py $(DML)/photos/$(part) $(@D)/lr/$(part) $(@D)/hr/$(part) && )true
	touch $@

dml_split = $(foreach side,lr hr,$(BIN)/python datasets/split.py "$(1)/$(side)" $(@D)/$(side) --test $(2) && )touch $@

$(DML)/pairs/city100/done: $(DML)/photos/split.json
	$(call dml_split,$(CITY100),2)

$(DML)/pairs/realsr/done: $(DML)/photos/split.json
	$(call dml_split,$(REALSR),3)

$(foreach set,$(DML_SETS),$(DML)/shards/$(set)/manifest.json): $(DML)/shards/%/manifest.json: $(DML)/pairs/%/done
	$(BIN)/degrade pack $(DML)/pairs/$*/lr/train $(DML)/pairs/$*/hr/train --patch 128 --pairs 2000 --out $(@D)

# Degraders: DML and its two rivals on each kind of pairs, and what they make of pairs kept out.

define dml_degrader
$(DML_RUN)/$(1)-$(2)/done: $(DML)/shards/$(1)/manifest.json
	$$(call train,$(2)-small,--shards $(DML)/shards/$(1) $(DML_LEARN))
endef
$(foreach set,$(DML_SETS),$(foreach net,$(call dml_nets,$(set)),$(eval $(call dml_degrader,$(set),$(net)))))

define dml_fidelity
$(DML_RES)/lr-$(1).json: $(foreach net,$(call dml_nets,$(1)),$(DML_RUN)/$(1)-$(net)/done)
	@mkdir -p $$(@D)
	$(BIN)/srzoo evaluate-degrader $(foreach net,$(call dml_nets,$(1)),-m $(net)=$(DML_RUN)/$(1)-$(net)) --json \
	    --hr $(1)=$(DML)/pairs/$(1)/hr/test --lr $(DML)/pairs/$(1)/lr/test \
	    --fit-hr $(DML)/pairs/$(1)/hr/train --fit-lr $(DML)/pairs/$(1)/lr/train > $$@.part
	mv $$@.part $$@
endef
$(foreach set,$(DML_SETS),$(eval $(call dml_fidelity,$(set))))

# One file that recipes run: the degrader of the zoom lens. Photographs through it, and through two recipes for comparison.

$(DML)/dml.pt: $(DML_RUN)/city100-dml/done
	$(BIN)/srzoo export-degrader $(DML_RUN)/city100-dml -o $@ --force

dml_synth = $(BIN)/degrade synth $(DML)/photos/train --patch 128 --pairs 2000 --out $(@D)

$(DML)/shards/dml/manifest.json: $(DML)/dml.pt
	$(dml_synth) --recipe dml --set lr.0.model=$(CURDIR)/$(DML)/dml.pt

$(DML)/shards/bicubic/manifest.json $(DML)/shards/generic/manifest.json: $(DML)/shards/%/manifest.json: $(DML)/photos/split.json
	$(dml_synth) --recipe chains/recipes/same-size-$*.toml

# SR networks of one size in and out: on captured pairs, on made ones, and on both.

dml_pairs_real := city100
dml_pairs_both := city100 dml
$(foreach on,bicubic generic dml,$(eval dml_pairs_$(on) := $(on)))

define dml_sr
$(DML_RUN)/$(1)-$(2)/done: $(foreach set,$(dml_pairs_$(2)),$(DML)/shards/$(set)/manifest.json)
	$$(call train,$(1)-y-small,$(foreach set,$(dml_pairs_$(2)),--shards $(DML)/shards/$(set)) $(DML_SR))
endef
$(foreach net,vdsr rcan,$(foreach on,$(DML_ON),$(eval $(call dml_sr,$(net),$(on)))))

$(DML_RES)/sr.json: $(foreach net,vdsr rcan,$(foreach on,$(DML_ON),$(DML_RUN)/$(net)-$(on)/done))
	@mkdir -p $(@D)
	$(BIN)/srzoo evaluate $(foreach net,vdsr rcan,$(foreach on,$(DML_ON),-m $(net)-$(on)=$(DML_RUN)/$(net)-$(on))) \
	    $(with_lpips) --scale 1 --json --lr $(DML)/pairs/city100/lr/test --hr city100=$(DML)/pairs/city100/hr/test > $@.part
	mv $@.part $@

# Pictures: the kernels, LR made beside the camera's, and what the networks make of it.

$(DML)/shown/done: $(DML_RES)/sr.json $(DML)/dml.pt $(foreach set,$(DML_SETS),$(DML_RES)/lr-$(set).json)
	rm -rf $(@D) && mkdir -p $(@D)/hr $(@D)/lr
	cp "$$(ls -d $(DML)/pairs/city100/hr/test/*.* | grep -v json | head -n 1)" $(@D)/hr/1.webp
	cp "$$(ls -d $(DML)/pairs/city100/lr/test/*.* | grep -v json | head -n 1)" $(@D)/lr/1.webp
	$(BIN)/degrade inspect $(DML)/dml.pt --plot $(@D)/kernels.png --photo $(@D)/hr/1.webp
	$(BIN)/srzoo evaluate-degrader $(foreach net,$(DML_NETS),-m $(net)=$(DML_RUN)/city100-$(net)) \
	    --hr made=$(@D)/hr --lr $(@D)/lr --out $(@D)
	$(foreach net,vdsr rcan,$(foreach on,$(DML_ON),$(BIN)/srzoo upscale $(@D)/lr --model $(DML_RUN)/$(net)-$(on) \
	    --output $(@D)/$(net)-$(on) --force && ))true
	touch $@

$(DML)/report.html: chains/dml-small.toml $(DML)/shown/done
	$(BIN)/srzoo study chains/dml-small.toml --root $(DML) -o $@
