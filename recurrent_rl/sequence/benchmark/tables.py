"""Lines of results and Markdown tables: quality with intervals and corrected tests, beside what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurrent_rl.sequence.benchmark.costs import Cost
from recurrent_rl.sequence.benchmark.trial import Result
from recurrent_rl.sequence.benchmark.works import Work
from recurrent_rl.sequence.statistics import Interval, holm, mean_interval, paired_t_test
from recurrent_rl.sequence.task import Task

Rows = Sequence[Sequence[str]]
PERCENT = ("accuracy", "macro_f1", "f1")
ERRORS = ("mse", "mae", "mape")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A model's line in a task's table.

    Args:
        model: Its name.
        score: Of the task's metric on the test data, over seeds; bounds are NaN where there is one seed.
        p_value: Of its being as good as the best model, by a paired t test over seeds, corrected by Holm for the number of
            models; None for the best itself, and where their seeds differ.
        others: Means of the other scores, by name.
        longer: Means of the metric on further tests, by name.
        results: Of its seeds.
        diverged: Number of seeds whose training failed.
        cost: At inference; None where it was not measured.
    """

    model: str
    score: Interval
    p_value: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    longer: Mapping[str, float] = field(default_factory=dict)
    results: Sequence[Result] = ()
    diverged: int = 0
    cost: Cost | None = None

    def mean(self, name: str) -> float:
        """Return the mean over seeds of a figure of the results."""
        return float(np.mean([result[name] for result in self.results]))


def lines(task: Task, found: Mapping[str, Sequence[Result]], costs: Mapping[str, Cost]) -> list[Line]:
    """Return a line for each model that has results, the best first.

    Args:
        task: Whose metric decides.
        found: The results of each model's final runs.
        costs: By model, as far as they were measured.
    """
    whole = {model: [result for result in results if "error" not in result] for model, results in found.items()}
    scores = {
        model: {one["seed"]: one["test"][task.metric] for one in results} for model, results in whole.items() if results
    }
    order = sorted(scores, key=lambda model: _mean(scores[model].values()), reverse=task.higher_is_better)
    p_values = _p_values(scores, order)
    return [
        Line(
            model=model,
            score=_interval(task.metric, list(scores[model].values())),
            p_value=p_values.get(model),
            others=_means(whole[model], "test", [name for name in whole[model][0]["test"] if name != task.metric]),
            longer={
                name: _mean([one["longer"][name][task.metric] for one in whole[model]])
                for name in whole[model][0]["longer"]
            },
            results=whole[model],
            diverged=len(found[model]) - len(whole[model]),
            cost=costs.get(model),
        )
        for model in order
    ]


def _p_values(scores: Mapping[str, Mapping[int, float]], order: Sequence[str]) -> dict[str, float]:
    """Return the corrected p-values of models that have the seeds of the best one, two at least."""
    best = scores[order[0]] if order else {}
    others = [model for model in order[1:] if scores[model].keys() == best.keys() and len(best) > 1]
    tests = [paired_t_test([best[seed] for seed in best], [scores[model][seed] for seed in best]) for model in others]
    return dict(zip(others, holm([test.p_value for test in tests]) if tests else [], strict=True))


def _means(results: Sequence[Result], part: str, names: Sequence[str]) -> dict[str, float]:
    return {name: _mean([result[part][name] for result in results]) for name in names}


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))


def _interval(metric: str, values: list[float]) -> Interval:
    """Return the mean's interval, within what the metric can be: Student's knows nothing of that."""
    if len(values) < 2:
        return Interval(values[0], float("nan"), float("nan"))
    found, least, most = mean_interval(values), 0.0 if metric in (*ERRORS, *PERCENT) else -np.inf, np.inf
    return Interval(found.mean, max(found.low, least), min(found.high, 100.0 if metric in PERCENT else most))


def table(task: Task, rows: Sequence[Line]) -> str:
    """Return a Markdown table: the models, the best first, then floors and published figures."""
    others, longer = list(rows[0].others), list(rows[0].longer)
    head = [
        "model", task.metric, "95%", "p", *others, *[f"at {name}" for name in longer], "seeds", "setting", "parameters",
        "CPU s", "us/step", "state bytes", "growth",
    ]  # fmt: skip
    body = [_cells(row, others, longer) for row in rows]
    for anchor in task.anchors:
        source = anchor.source if anchor.comparable else f"{anchor.source}; context only"
        body.append([f"*{anchor.name}*", number(anchor.value), f"*{source}*", *[""] * (len(head) - 3)])
    return markdown([head, *body])


def _cells(row: Line, others: Sequence[str], longer: Sequence[str]) -> list[str]:
    cost = row.cost
    seeds = f"{len(row.results)}" + (f" ({row.diverged} diverged)" if row.diverged else "")
    return [
        row.model,
        number(row.score.mean),
        "" if np.isnan(row.score.low) else f"{number(row.score.low)} to {number(row.score.high)}",
        "" if row.p_value is None else probability(row.p_value),
        *[number(row.others[name]) for name in others],
        *[number(row.longer[name]) for name in longer],
        seeds,
        setting(row.results[0]),
        f"{row.results[0]['parameters']:,}",
        f"{row.mean('cpu_seconds'):.0f}",
        *(["", "", ""] if cost is None else [f"{cost.step_us:.0f}", f"{cost.state_bytes:,}", f"{cost.growth:.2f}"]),
    ]


def setting(result: Result) -> str:
    """Return what was tuned, in short."""
    given = result["setting"]
    if given["states"] is not None:
        return f"{given['states']} states"
    return "" if given["learning_rate"] is None else f"{given['learning_rate']:g}, dropout {given['dropout']:g}"


def protocol(work: Work) -> str:
    """Return a line on how the runs fall short of the protocol; empty where they do not."""
    task, cuts = work.task(), []
    if work.tuned_as is not None:
        cuts.append(f"settings are those that were tuned on {work.tuned_as.task().name}")
    elif work.tuning_share < 1:
        cuts.append(f"tuning runs took {work.tuning_steps:,} of {work.config.steps:,} steps")
    if work.seeds is not None and work.seeds < (5 if task.full else 3):
        cuts.append(f"{work.seeds} seeds")
    text = "; ".join(cuts)
    return f"Cut for two cores: {text}." if text else ""


def failures(found: Mapping[str, Sequence[Result]]) -> str:
    """Return a line on the models without a line of their own, because each of their seeds diverged; empty without any."""
    failed = [model for model, results in found.items() if results and all("error" in result for result in results)]
    return f"Every seed diverged: {', '.join(failed)}." if failed else ""


def markdown(rows: Rows) -> str:
    """Return rows of cells as a Markdown table, the first as its head."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [rows[0], ["---"] * len(rows[0]), *rows[1:]])


def number(value: float) -> str:
    """Return four figures, in powers of ten where it is small; nothing for NaN, where a model does not tell it."""
    if np.isnan(value):
        return ""
    return f"{value:.3g}" if abs(value) < 0.01 else f"{value:.4g}"


def probability(value: float) -> str:
    """Return three places; a test of few seeds never says that something is impossible."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
