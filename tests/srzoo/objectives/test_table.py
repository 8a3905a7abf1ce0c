"""What the preset that names an objective reads of it."""

from __future__ import annotations

import pytest

from srzoo.objectives import OBJECTIVES


@pytest.mark.parametrize("name", OBJECTIVES)
def test_roles_are_those_that_the_optimisers_step_each_once(name: str) -> None:
    config_class, objective = OBJECTIVES[name]
    roles = [role for owned in objective.optimisers(config_class()).values() for role in owned]
    judged = {role for role in (objective.upscaler, objective.degrader) if role is not None}
    assert len(set(roles)) == len(roles)
    assert set(roles) >= set(objective.products) >= judged
    assert objective.products
