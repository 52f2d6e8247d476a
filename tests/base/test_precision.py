"""The precision that is chosen is the one that was asked for, or the fastest the machine computes itself."""

import pytest

from headstart.base import precision
from headstart.base.precision import choose, for_cpu
from headstart.foundation.errors import InputError

pytest_plugins = ["tests.pipeline_fixtures"]


AVX512 = frozenset({"avx2", "avx512f", "avx512_bf16", "amx_bf16"})


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize(
    ("setting", "policy", "reason"),
    [
        ("float32", "float32", "float32, as params.yaml says"),
        ("bfloat16", "mixed_bfloat16", "bfloat16, as params.yaml says"),
    ],
)
def test_what_was_asked_for_is_chosen(monkeypatch: pytest.MonkeyPatch, setting: str, policy: str, reason: str) -> None:
    monkeypatch.setattr(precision, "_cpu_flags", lambda: AVX512)
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
def test_bfloat16_is_refused_where_its_sums_would_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_for_gpu", lambda: None)
    monkeypatch.setattr(precision, "_cpu_flags", lambda: frozenset({"avx2"}))
    with pytest.raises(InputError, match=r"^params.yaml: precision: found bfloat16, but this processor has no instruc"):
        choose("bfloat16")


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ("AVX2", {"avx2"}),
        ("avx2_vnni", {"avx2"}),
        ("AVX512_CORE", {"avx2", "avx512f"}),
        ("AVX512_CORE_AMX", AVX512),
        ("", AVX512),
    ],
)
def test_what_onednn_is_told_not_to_use_does_not_count(limit: str, left: set[str]) -> None:
    assert precision._limited(AVX512, limit) == left


@pytest.mark.usefixtures("tensorflow")
def test_the_choice_on_this_machine_is_one_that_keras_knows() -> None:
    import keras

    chosen = choose("auto")
    assert keras.DTypePolicy(chosen.policy).variable_dtype == "float32"
    assert chosen.reason.startswith(("float32, since ", "bfloat16, since "))
    assert choose("auto") == chosen


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize(("capability", "works"), [((7, 5), False), ((8, 0), True)])
def test_a_gpu_decides_in_place_of_the_processor(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], works: bool
) -> None:
    import tensorflow as tf

    details = {"device_name": "some GPU", "compute_capability": capability}
    monkeypatch.setattr(precision, "_cpu_flags", lambda: frozenset({"avx2"} if works else AVX512))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    assert choose("auto").policy == ("mixed_bfloat16" if works else "float32")
    if works:
        assert choose("bfloat16").policy == "mixed_bfloat16"
    else:
        with pytest.raises(InputError, match="found bfloat16, but this GPU has no instructions for it"):
            choose("bfloat16")
