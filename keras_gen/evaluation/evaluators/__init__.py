"""Evaluators: functions from a trained run to metrics."""
