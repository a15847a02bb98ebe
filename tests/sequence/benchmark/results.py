"""Made-up results of three models on five seeds, for tests of tables and pictures."""

import numpy as np

SCORES = {"gru": [90.0, 91.0, 92.0], "lstm": [88.0, 90.5, 90.0], "bag": [30.0, 31.0, 29.0]}
STEPS = 40


def found(metric="accuracy", longer=(), scores=SCORES):
    """Return results of final runs by model."""
    return {
        model: [_result(model, seed, value, metric, longer) for seed, value in enumerate(values)]
        for model, values in scores.items()
    }


def _result(model, seed, value, metric, longer):
    steps = np.arange(1, 5) * STEPS / 4
    return {
        "task": "mnist1d",
        "model": model,
        "seed": seed,
        "setting": {"learning_rate": 0.003, "dropout": 0.2, "states": None},
        "steps": STEPS,
        "tuning": False,
        "parameters": 1000,
        "cpu_seconds": 10.0 + seed,
        "test": {metric: value, "nats": 0.5},
        "longer": {name: {metric: value - 1} for name in longer},
        "curve": {"step": list(steps), f"validation/{metric}": list(value * steps / STEPS)},
    }
