"""The schema of the whole params.yaml."""

from stages.core.sections.backbone import Backbone
from stages.core.sections.classifier import Classifier
from stages.core.sections.evaluate import Evaluate
from stages.core.sections.features import Augmentation, ExtractFeatures
from stages.core.sections.finetune import Finetune
from stages.core.sections.general import General
from stages.core.sections.prepare import Prepare


class Params(General):
    """Every parameter of the pipeline."""

    prepare: Prepare
    backbone: Backbone
    extract_features: ExtractFeatures
    augmentation: Augmentation
    train_head: Classifier
    train_augmented: Classifier
    finetune: Finetune
    evaluate: Evaluate
