"""The design stage: a study's own design tried on invented data with a known truth, before its outcomes exist."""

from evalkit.counterfactual.design.settings import Setting
from evalkit.counterfactual.design.stage import DesignStage, design_stage
from evalkit.counterfactual.design.studied import study_design

__all__ = ["DesignStage", "Setting", "design_stage", "study_design"]
