from headstart.models.strategies import STRATEGIES
from headstart.page.strategy_names import strategy_in_words, strategy_title


def test_known_strategies_have_words_and_others_keep_their_name() -> None:
    assert strategy_in_words("finetune") == "fine-tuning"
    assert strategy_in_words("scratch_augmented") == "training from scratch with augmentation"
    assert strategy_in_words("my_own") == "my_own"


def test_titles_fit_into_a_legend() -> None:
    assert strategy_title("scratch_augmented") == "From scratch, augmented"
    assert strategy_title("finetune") == "Fine-tuning"
    assert all(len(strategy_title(name)) <= 23 for name in STRATEGIES)
