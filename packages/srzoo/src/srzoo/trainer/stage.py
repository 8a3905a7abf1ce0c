"""One stage of a run: the loop over batches, and what is written along the way."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn

from degrade.atomic import write_bytes
from srzoo.checkpoint import State, prune_states, save_model, save_state
from srzoo.data import Batch, Batches, RealCrops
from srzoo.data.augment import stream_key
from srzoo.ema import averaged
from srzoo.errors import DivergedError, ResourceError
from srzoo.optim import learning_rate_at
from srzoo.preset import build_networks, build_objective, build_optimisers
from srzoo.trainer import state as states
from srzoo.trainer.clock import Clock
from srzoo.trainer.context import Context
from srzoo.trainer.device import autocast, autocast_type, seed_step
from srzoo.trainer.journal import Journal
from srzoo.trainer.lr_validation import LRValidator, check_multiple
from srzoo.trainer.rounds import Rounds
from srzoo.trainer.start import load_start
from srzoo.trainer.update import Clipped, NotFiniteError, apply_update
from srzoo.trainer.validation import Validator
from srzoo.trainer.watcher import Pace, Progress

_KEPT_STATES = 3


class StageRun:
    """A stage at some step of its own, counted from 1; `steps_before` are those of earlier stages."""

    def __init__(self, context: Context, number: int, *, steps_before: int) -> None:
        self.context, self.number, self.steps_before = context, number, steps_before
        self.stage, self.material = context.preset.stages[number], context.materials[number]
        self.step = 0
        networks = build_networks(self.stage, seed=context.options.seed)
        self.objective = build_objective(self.stage, networks, vgg_weights=context.options.vgg_weights)
        self.dtype = autocast_type(self.stage.precision, context.device)
        self.objective.to(context.device, self.dtype)
        self.networks = self.objective.networks
        self.validators = self._validators()
        self.clock = Clock()
        self.scores: dict[str, float] = {}
        self.best: dict[str, float] = {}
        self._losses: dict[str, float] = {}
        self._kept: list[dict[str, Tensor]] = []  # the objective's state in every process, when it may be saved

    def begin(self, state: State | None) -> None:
        """Take the weights that the preset starts from, or everything from `state`."""
        plans = self.stage.networks
        if state is None:
            for role, plan in plans.items():
                if plan.start_from:
                    load_start(self.networks[role], role, plan, self.context.options.out)
        self.averages = {role: averaged(self.networks[role], plan.ema) for role, plan in plans.items() if plan.ema}
        self.optimisers = {
            name: Clipped(optimiser, self.stage.optimisers[name].clip)
            for name, optimiser in build_optimisers(self.stage, self.networks).items()
        }
        if state is not None:
            states.restore(state.tensors, self.networks, self.averages, self.optimisers)
            self.objective.state = states.kept_by(state.tensors, self.context.ranks.rank, self.context.device)
            self.step = state.facts["stage_step"]
            self.best = state.facts["best"]
            self.clock.seconds = state.facts["seconds"]
        for network in self.networks.values():
            network.train()
            if self.context.options.compile:
                network.compile()

    def train(self) -> bool:
        """Run the remaining steps; False if asked to stop before the last one. The state is saved either way."""
        if self.step >= self.stage.steps:
            return True
        batches = self._batches().stream(self.step + 1, self.stage.steps, workers=self.context.options.workers)
        self.clock.start()
        try:
            for pixels in batches:
                self._update(Batch.of(pixels, self.context.device))
                self.step += 1
                self._tell()
                stopped_by = self.context.ranks.largest(self.context.stop.signal, self.context.device)
                is_last = self.step == self.stage.steps
                self._look(is_last=is_last, is_stopped=bool(stopped_by))
                if stopped_by and not is_last:
                    self.context.stop.signal = stopped_by
                    self.context.ranks.wait()  # until the first one has saved: torchrun ends all when one ends
                    return False
        finally:
            batches.close()
        return True

    def _validators(self) -> list[tuple[str, Validator | LRValidator]]:
        """What is validated: each role with its judge; the first one says which state is the best."""
        found: list[tuple[str, Validator | LRValidator]] = []
        if self.objective.upscaler is not None:
            found.append((self.objective.upscaler, self.material.validator))
        if self.objective.degrader is not None:
            found.append((self.objective.degrader, self._lr_validator(self.networks[self.objective.degrader])))
        return found

    def _lr_validator(self, degrader: Any) -> LRValidator:
        stage, material = self.stage, self.material
        height, width = material.pairs.hr_size
        check_multiple(degrader, (height // stage.scale, width // stage.scale), stage.data.patch, scale=stage.scale)
        return LRValidator(
            material.pairs,
            material.split.held_out,
            watch=stage.watch,
            scale=stage.scale,
            border=self.objective.border,
            references=material.real_lr if any(one.kind == "reference" for one in degrader.inputs) else None,
        )

    def _batches(self) -> Batches:
        data, seed, real_lr = self.stage.data, self.context.options.seed, None
        if self.material.real_lr is not None:
            side = data.patch // self.stage.scale
            settings = {"side": side, "seed": seed, "stage": self.number, "augment": data.augment}
            real_lr = RealCrops(self.material.real_lr, **settings)
        return Batches(
            self.material.pairs,
            self.material.order(seed),
            data,
            scale=self.stage.scale,
            seed=seed,
            stage=self.number,
            real_lr=real_lr,
            rank=self.context.ranks.rank,
            world=self.context.ranks.world,
        )

    def keep_products(self) -> None:
        """Keep this stage's models under its name; a later stage replaces those of the run."""
        folder = self.context.options.out / self.stage.name
        folder.mkdir(exist_ok=True)
        for role in self.objective.products:
            product = self.context.options.out / f"{role}.safetensors"
            write_bytes(folder / product.name, product.read_bytes())

    def _update(self, batch: Batch) -> None:
        step = self.step + 1
        for name, clipped in self.optimisers.items():
            for group in clipped.optimiser.param_groups:
                group["lr"] = learning_rate_at(self.stage.optimisers[name], step, self.stage.steps)
        seed_step(
            self.context.device, stream_key(self.context.options.seed, self.number), step, self.context.ranks.rank
        )
        count = self.stage.data.accumulate
        rounds = Rounds(self.objective, batch.in_parts(count), autocast(self.dtype, self.context.device))
        for losses in rounds:
            try:
                apply_update(losses, self.optimisers, self.context.ranks, parts=count)
            except NotFiniteError as error:
                raise self._diverged(str(error)) from None
        for role, average in self.averages.items():
            average.update(self.networks[role])

    def _diverged(self, what: str) -> DivergedError:
        names = [self.material.pairs[number].id for number in self._batches().numbers(self.step + 1)]
        step = self.steps_before + self.step + 1
        folder = self.context.options.out
        if self.context.ranks.is_first:
            record = {"step": step, "stage": self.stage.name, "what": what, "pairs": names}
            write_bytes(folder / "diverged.json", json.dumps(record, indent=1).encode())
        return DivergedError(
            f"step {step} of {self.stage.name}",
            f"{what} (pairs {', '.join(names[:2])}, ... in diverged.json); that update was not applied",
            "lower the learning rate or set clip; the last saved state is whole",
        )

    def _tell(self) -> None:
        """Tell the watcher of the step just done."""
        self.clock.step()
        if self.step % self.stage.watch.log_every == 0:
            self._losses = self._read_losses()
        left = self.stage.steps - self.step
        if self.clock.is_first_guess():
            self.context.watcher.pace(Pace(self.stage.name, self.clock.rate, left / self.clock.rate))
        done, steps = self.steps_before + self.step, self.context.preset.steps
        self.context.watcher.progress(Progress(self.stage.name, done, steps, self.clock.rate, self._losses))

    def _look(self, *, is_last: bool, is_stopped: bool) -> None:
        """Log, validate and save when it is time, and after the last step. A stopped run is saved at once."""
        watch, step = self.stage.watch, self.step
        is_logged, is_validated, is_due = (
            is_last or step % every == 0 for every in (watch.log_every, watch.validate_every, watch.save_every)
        )
        is_due = is_due or is_stopped
        if is_last and step % watch.log_every:
            self._losses = self._read_losses()
        with self.clock.paused():
            if is_due or is_validated:  # then it may be the best; all ranks agree on that, not yet on which is
                self._kept = self.context.ranks.gathered(self.objective.state)
            if self.context.journal is not None and (is_logged or is_validated):
                try:
                    self._write_journal(self.context.journal, is_validated=is_validated, is_last=is_last)
                except ResourceError as error:
                    self._survive(error, is_last=is_last)
            is_best = self.best.get("step") == self.steps_before + step
            if self.context.ranks.is_first and (is_due or is_best):
                try:
                    self._save()
                except ResourceError as error:
                    self._survive(error, is_last=is_last or is_stopped)

    def _survive(self, error: ResourceError, *, is_last: bool) -> None:
        """Where there is no room, go on and try again next time; older states are whole."""
        if is_last:
            raise error
        self.context.watcher.warn(f"not saved: {error}; training goes on")

    def _write_journal(self, journal: Journal, *, is_validated: bool, is_last: bool) -> None:
        step = self.steps_before + self.step
        record: dict[str, Any] = {
            "step": step,
            "stage": self.stage.name,
            "seconds": round(self.clock.seconds, 3),
            "it_per_s": round(self.clock.rate, 3),
            "losses": self._losses,
        }
        if is_validated and self.validators:
            is_shown = is_last or self.step % self.stage.watch.sample_every == 0
            self._validate(journal, step, is_shown=is_shown)
            record |= self.scores
        journal.write(record)

    def _validate(self, journal: Journal, step: int, *, is_shown: bool) -> None:
        """Score every role that is validated, and note whether this is the best step so far."""
        self.scores = {"step": step}
        for role, validator in self.validators:
            network = self._product(role)
            network.eval()
            where = (network, self.context.device, self.dtype)
            self.scores |= validator.scores(*where)
            if is_shown:
                journal.picture(step, validator.picture(*where), role if len(self.validators) > 1 else "")
            self.networks[role].train()
        criterion = self.validators[0][1].criterion
        if self.scores[criterion] > self.best.get(criterion, float("-inf")):
            self.best = {criterion: self.scores[criterion], "step": step}
        self.context.watcher.scores(step, self.scores)

    def _product(self, role: str) -> nn.Module:
        """What is validated and saved: the average, if there is one."""
        return self.averages[role].module if role in self.averages else self.networks[role]

    def _read_losses(self) -> dict[str, float]:
        names = sorted(self.objective.parts)
        values = torch.stack([self.objective.parts[name].detach().float() for name in names])
        self.context.ranks.average_([values])
        return dict(zip(names, (round(value, 6) for value in values.tolist()), strict=True))

    def _save(self) -> None:
        """Write the state and the products."""
        out, step = self.context.options.out, self.steps_before + self.step
        facts = {
            **self.context.facts,
            "stage": self.number,
            "stage_step": self.step,
            "best": self.best,
            "seconds": self.clock.seconds,
        }
        tensors = states.gather(self.networks, self.averages, self.optimisers, self._kept)
        save_state(out / "state", State(step, tensors, facts))
        prune_states(out / "state", keep=_KEPT_STATES, best=int(self.best["step"]) if self.best else None)
        metadata = {
            "preset": self.context.preset.text,
            "stage": self.stage.name,
            "steps": str(step),
            "metrics": json.dumps(self.scores),
            "shards": self.material.pairs.digest,
            "trained_on": json.dumps(self.material.trained_on),
            "zoom": str(self.material.pairs.zoom),
        }
        for role in self.objective.products:
            save_model(out / f"{role}.safetensors", self.stage.networks[role].type, self._product(role), metadata)
