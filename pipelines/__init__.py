"""The stages: one folder a stage, and `frame`, what all stages share."""
