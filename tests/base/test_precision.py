"""The precision that is chosen is the one that was asked for, or the fastest the machine computes itself."""

import pytest

from headstart.base.precision import choose, for_cpu

pytest_plugins = ["tests.pipeline_fixtures"]


@pytest.mark.parametrize(
    ("setting", "policy", "reason"),
    [
        ("float32", "float32", "float32, as params.yaml says"),
        ("bfloat16", "mixed_bfloat16", "bfloat16, as params.yaml says"),
    ],
)
def test_what_was_asked_for_is_chosen(setting: str, policy: str, reason: str) -> None:
    assert choose(setting) == (policy, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flags", "policy", "reason"),
    [
        (set(), "float32", "float32, since this processor has no bfloat16 instructions"),
        ({"avx512f", "avx2"}, "float32", "float32, since this processor has no bfloat16 instructions"),
        ({"avx512_bf16"}, "mixed_bfloat16", "bfloat16, since this processor has avx512_bf16"),
        ({"avx512_bf16", "amx_bf16"}, "mixed_bfloat16", "bfloat16, since this processor has amx_bf16"),
    ],
)
def test_the_processor_decides(flags: set[str], policy: str, reason: str) -> None:
    assert for_cpu(frozenset(flags)) == (policy, reason)


@pytest.mark.usefixtures("tensorflow")
def test_the_choice_on_this_machine_is_one_that_keras_knows() -> None:
    import keras

    chosen = choose("auto")
    assert keras.DTypePolicy(chosen.policy).variable_dtype == "float32"
    assert chosen.reason.startswith(("float32, since ", "bfloat16, since "))
    assert choose("auto") == chosen
