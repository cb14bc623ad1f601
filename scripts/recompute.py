#!/usr/bin/env python3
"""Recomputes every statistic of results folders, independently of the program, and compares.

    python3 -m venv target/recompute && target/recompute/bin/pip install -r scripts/recompute-requirements.txt
    target/recompute/bin/python scripts/recompute.py RESULTS... [--check VERDICT.json BASELINE.json] [--recommend FILE]

Reads trials.csv, parts.csv, plan.json and, for whether texts are the same and when loops begin, trials.jsonl.
Compares with cells.csv, onset.csv and verdicts.json of each folder, which must be of rules 3 (`moe-sweep report
RESULTS` decides an older folder anew); with --check with what `moe-sweep check --json-out VERDICT.json` said of the
first folder, with --recommend with what `moe-sweep recommend --json` did. Prints what was compared, how many
numbers, how many differ, the largest difference; exits 1 if any differs by more than the tolerance beside it, or
if the folder has a kind of number none of which was compared.

The formulas are docs/statistics.md's and docs/intervals.md's. The generator (ChaCha8 from fixed keys) is written
again here, so that what is drawn agrees to the last digits and not only within Monte-Carlo error.
"""

import csv
import json
import math
import sys
from collections import defaultdict, namedtuple
from functools import cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
from scipy.special import bdtr, betaincinv, ndtr, ndtri, stdtr, stdtrit
from scipy.stats import rankdata

RULES = 3
# Relative to max(1, |value|), as all tolerances here.
EXACT = 1e-9
# Through quantiles of Student's t or of beta: each library finds them by iteration, and stops near 1e-8.
QUANTILES = 1e-7
# The program finds what a design can see by halving until 1e-7 of it is left, over an integral of few points.
HALVED = 1e-6

ALPHA = 0.05
LEVEL = 0.95
# That belongs to two one-sided tests at 5 %.
LEVEL_OF_EQUIVALENCE = 0.9
RESAMPLES = 10_000
DRAWS = 10_000
LEAST_PROMPTS = 6
BLIND_SHARE = 0.05

FACTORS = ["model", "chain", "offload", "quant", "template", "op_offload", "temperature"]
QUANTS = ["source", "f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q5_k_s", "q4_k_m", "q4_k_s", "q4_0"]
QUANTS += ["q3_k_l", "q3_k_m", "q3_k_s", "q2_k", "iq4_xs", "mxfp4_moe"]

# Metrics by what their values are (docs/metrics.md).
VERDICTS_OF_TOKENS = {"holtzman_repetition", "vllm_loop", "loop_30_20", "ollama_repeats"}
VERDICTS_OF_CHARACTERS = {"loop", "repeats", "gemini_cli_loop"}
SHARES = {"repetition_score", "covered_20_chars", "recycled", "tail_share", "tail_share_chars", "tail_share_masked"}
SHARES |= {f"seq_rep_{n}_{what}" for n in range(1, 5) for what in ("words", "tokens")}
SHARES |= {"rep_w_tokens", "rep_r_tokens", "repeat_4_chars"}
# Of these a clean text has little: not of the rough ones, for few letters make many words.
ROUGH = {f"seq_rep_{n}_{what}" for n in (1, 2) for what in ("words", "tokens")}
ROUGH |= {"rep_w_tokens", "rep_r_tokens", "repeat_4_chars"}
OTHERS_OF_TOKENS = {"tail_period", "tail_copies", "tail_onset"}
OTHERS_OF_TEXT = {f"tail_{what}_{of}" for what in ("period", "copies", "onset") for of in ("chars", "masked")}
OTHERS_OF_TEXT |= {"mattr_words", "mtld_words", "ead_words", "zipf_words", "compression_ratio", "recovered"}
BOUNDED = SHARES | VERDICTS_OF_TOKENS | VERDICTS_OF_CHARACTERS
NEAR_0 = BOUNDED - ROUGH
ONE_OR_NONE = VERDICTS_OF_TOKENS | VERDICTS_OF_CHARACTERS | {"recovered", "empty_answer"}
# The value of a text without any repetition, and of one that is nothing else.
ENDS = {metric: (0.0, 1.0) for metric in BOUNDED | ONE_OR_NONE}
ENDS |= {f"simctg_rep_{n}_percent": (0.0, 100.0) for n in (2, 3, 4)}
ENDS |= {"simctg_diversity": (1.0, 0.0), "mattr_words": (1.0, 0.0), "compression_ratio": (0.0, None)}
ENDS |= {"ead_words": (None, 0.0), "mtld_words": (None, 0.0)}


NO_INTERVAL = {"low": None, "high": None, "level": None}


class CannotTell(Exception):
    """What the folder's files do not say, so that it is left out, and said to be."""


class TooLittle(Exception):
    """The sample has too little for the test."""


class NoVariation(TooLittle):
    """Nothing varies."""


class NotTested(Exception):
    """There is no point in a test."""


# ---------------------------------------------------------------- numbers that both sides have


class Ledger:
    """What was compared."""

    SHOWN = 5

    def __init__(self):
        self.kinds = {}

    def kind(self, name, tolerance=EXACT):
        new = {"compared": 0, "absent": 0, "left out": 0, "differ": 0, "largest": 0.0, "tolerance": tolerance}
        return self.kinds.setdefault(name, new)

    def compare(self, name, where, mine, theirs, tolerance=EXACT):
        """Two numbers, or lists of numbers; None is a number that is not given."""
        mine, theirs = ([x] if x is None or np.isscalar(x) else list(x) for x in (mine, theirs))
        if len(mine) != len(theirs):
            return self.differs(name, where, mine, theirs, math.inf, tolerance)
        for one, other in zip(mine, theirs):
            if one is None and other is None:
                self.kind(name, tolerance)["absent"] += 1
            elif one is None or other is None:
                self.differs(name, where, mine, theirs, math.inf, tolerance)
            else:
                distance = abs(one - other) / max(1.0, abs(other))
                if distance <= tolerance:
                    kind = self.kind(name, tolerance)
                    kind["compared"] += 1
                    kind["largest"] = max(kind["largest"], distance)
                else:
                    self.differs(name, where, mine, theirs, distance, tolerance)

    def same(self, name, where, mine, theirs):
        """Two words, or lists of words."""
        if mine == theirs:
            self.kind(name, 0.0)["compared"] += 1
        else:
            self.differs(name, where, mine, theirs, math.inf, 0.0)

    def differs(self, name, where, mine, theirs, distance, tolerance):
        kind = self.kind(name, tolerance)
        kind["compared"] += 1
        kind["differ"] += 1
        kind["largest"] = max(kind["largest"], distance)
        if kind["differ"] <= self.SHOWN:
            print(f"DIFFERS {name}, {where}: here {mine}, there {theirs}")

    def leave_out(self, name, where, why):
        kind = self.kind(name)
        kind["left out"] += 1
        if kind["left out"] <= self.SHOWN:
            print(f"left out: {name}, {where}: {why}")

    def is_good(self):
        """Nothing differs, and every kind that there is was compared."""
        good = True
        for name, kind in self.kinds.items():
            if kind["compared"] == 0 and kind["left out"] > 0:
                print(f"NOT COMPARED: {name}")
                good = False
            good &= kind["differ"] == 0
        return good

    def table(self):
        head = ["what", "compared", "differ", "largest", "tolerance", "absent in both", "left out"]
        rows = [head]
        for name, kind in self.kinds.items():
            largest, tolerance = f"{kind['largest']:.1e}", f"{kind['tolerance']:.0e}"
            counts = [str(kind[what]) for what in ("absent", "left out")]
            rows.append([name, str(kind["compared"]), str(kind["differ"]), largest, tolerance, *counts])
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        for row in rows:
            print("  ".join([row[0].ljust(widths[0]), *(x.rjust(w) for x, w in zip(row[1:], widths[1:]))]))


def rounded(values):
    """To 12 decimals, halves away from 0: what is compared or ranked is rounded first."""
    scaled = np.abs(np.asarray(values, float) * 1e12)
    whole = np.trunc(scaled)
    whole = whole + (scaled - whole >= 0.5)
    out = np.where(scaled < 2.0**52, np.copysign(whole / 1e12, values), values)
    return out if np.ndim(values) else float(out)


def mean(values):
    """Relative to the first value, so that the mean of equal values is that value; None of nothing."""
    values = np.asarray(values, float)
    return float(values[0] + np.sum(values - values[0]) / len(values)) if len(values) else None


def standard_error(values):
    """Of a mean of independent values."""
    n = len(values)
    return math.sqrt(np.sum((np.asarray(values) - mean(values)) ** 2) / (n - 1) / n) if n > 1 else None


# ---------------------------------------------------------------- random numbers


def chacha8(key, n_words):
    """The first 32-bit words of ChaCha with 8 rounds, nonce 0 (Bernstein 2008; as rand_chacha has it)."""
    n_blocks = (n_words + 15) // 16
    start = np.zeros((16, n_blocks), np.uint32)
    start[:4] = np.frombuffer(b"expand 32-byte k", "<u4")[:, None]
    start[4:12] = np.frombuffer(key, "<u4")[:, None]
    counter = np.arange(n_blocks, dtype=np.uint64)
    start[12] = (counter & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    start[13] = (counter >> np.uint64(32)).astype(np.uint32)
    words = start.copy()

    def quarter_round(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[x] += words[y]
            words[z] ^= words[x]
            words[z] = (words[z] << np.uint32(turn)) | (words[z] >> np.uint32(32 - turn))

    columns = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
    diagonals = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
    for _ in range(4):
        for quarter in columns + diagonals:
            quarter_round(*quarter)
    return (words + start).T.reshape(-1)[:n_words]


@cache
def resamples(n):
    """10,000 times n of n prompts: their numbers in ascending order, and how often each was drawn."""
    words = chacha8(b"moe-sweep: bootstrap, resamples.", n * RESAMPLES).astype(np.uint64)
    drawn = np.sort(((words * np.uint64(n)) >> np.uint64(32)).astype(int).reshape(RESAMPLES, n), axis=1)
    counts = np.zeros((RESAMPLES, n))
    np.add.at(counts, (np.repeat(np.arange(RESAMPLES), n), drawn.ravel()), 1)
    return drawn, counts


@cache
def arrangements(n):
    """Signs of n prompts: half of all arrangements, the last sign kept, for up to 16; else 10,000 drawn.
    And whether they are all."""
    if n <= 16:
        halves = np.arange(1 << max(n - 1, 0))
        turned = (halves[:, None] >> np.arange(n)) & 1
        if n:
            turned[:, n - 1] = 0
        return 1 - 2 * turned, True
    chunks = (n + 63) // 64
    words = chacha8(b"moe-sweep: permutations of signs", DRAWS * chunks * 2).astype(np.uint64)
    words = words.reshape(DRAWS, chunks, 2)
    bits = words[..., 0] | (words[..., 1] << np.uint64(32))
    place = np.arange(n)
    turned = (bits[:, place // 64] >> (place % 64).astype(np.uint64)) & np.uint64(1)
    return 1 - 2 * turned.astype(int), False


@cache
def shuffles(n, k):
    """Of each of 10,000 draws and n blocks the order of k levels; each draw shuffles what the one before left
    (Fisher and Yates)."""
    words = chacha8(b"moe-sweep: Page's L, shuffles...", DRAWS * n * (k - 1)).astype(np.uint64).reshape(DRAWS, n, k - 1)
    step = np.broadcast_to(np.arange(k), (DRAWS, n, k)).copy()
    for place, last in enumerate(range(k - 1, 0, -1)):
        other = ((words[..., place] * np.uint64(last + 1)) >> np.uint64(32)).astype(int)[..., None]
        swapped = np.take_along_axis(step, other, 2)
        np.put_along_axis(step, other, step[..., last : last + 1].copy(), 2)
        step[..., last : last + 1] = swapped
    order = np.arange(k) + np.zeros((n, 1), int)
    orders = np.empty((DRAWS, n, k), np.int16)
    for draw in range(DRAWS):
        order = np.take_along_axis(order, step[draw], 1)
        orders[draw] = order
    return orders


# ---------------------------------------------------------------- intervals of means and shares


def t_quantile(p, degrees):
    return float(stdtrit(degrees, p))


def bca(own, jackknife, resampled, n, level=LEVEL):
    """Efron 1987, "Better Bootstrap Confidence Intervals"; acceleration by the jackknife (Efron and Tibshirani
    1993, § 14.3), tails expanded for few clusters (Hesterberg 2015, § 5.3), half of the ties below."""
    tail = ndtr(t_quantile((1 - level) / 2, n - 1) * math.sqrt(n / (n - 1)))
    ties = np.abs(resampled - own) <= 1e-12 * max(1.0, abs(own))
    below = np.sum((resampled < own) & ~ties) + np.sum(ties) / 2
    bias = ndtri(np.clip(below, 0.5, len(resampled) - 0.5) / len(resampled))
    deviations = np.mean(jackknife) - jackknife
    scale = 6 * np.sum(deviations**2) ** 1.5
    acceleration = np.sum(deviations**3) / scale if scale > 0 else 0.0

    def quantile_for(share):
        z = bias + ndtri(share)
        if math.isinf(z):
            return share
        denominator = 1 - acceleration * z
        return ndtr(bias + z / denominator) if denominator > 0 else float(z > 0)

    return [float(np.quantile(resampled, quantile_for(share))) for share in (tail, 1 - tail)]


_KEPT_BCA = {}


def bca_of_mean(clusters, level=LEVEL, least=8):
    """The BCa interval of the mean over all values of all clusters; None for fewer than `least` clusters."""
    clusters = [np.asarray(values, float) for values in clusters if len(values)]
    if len(clusters) < max(least, 2):
        return None
    key = (level, *(values.tobytes() for values in clusters))
    if key not in _KEPT_BCA:
        pivot, n = clusters[0][0], len(clusters)
        sums = np.array([np.sum(values - pivot) for values in clusters])
        sizes = np.array([float(len(values)) for values in clusters])
        _, counts = resamples(n)
        own, jackknife = sums.sum() / sizes.sum(), (sums.sum() - sums) / (sizes.sum() - sizes)
        found = bca(own, jackknife, counts @ sums / (counts @ sizes), n, level)
        _KEPT_BCA[key] = [pivot + limit for limit in found]
    return _KEPT_BCA[key]


def clopper_pearson(hits, n, level):
    """Clopper and Pearson 1934, for numbers that need not be whole."""
    tail, misses = (1 - level) / 2, n - hits
    low = float(betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
    return [low, high]


def korn_graubard(share, variance, texts, prompts, fewest, level=LEVEL):
    """Korn and Graubard 1998: Clopper and Pearson's for as many independent texts as have this variance; where
    fewer than ten prompts tell (`fewest`), a prompt's texts count as one at most."""
    independent = share * (1 - share) / texts
    most = prompts if fewest < 10 else texts
    if independent <= 0:
        effective = prompts
    elif variance <= 0:
        effective = most
    else:
        tail = (1 + level) / 2
        of_t = (t_quantile(tail, texts - 1) / t_quantile(tail, prompts - 1)) ** 2
        effective = min(independent / variance * texts * of_t, most)
    return clopper_pearson(share * effective, effective, level)


def share_over_prompts(clusters, level=LEVEL):
    """The share of texts that do something (1 or 0) and its interval; None for fewer than two prompts. Its variance
    is that of a ratio of totals (Cochran 1977, § 6.3)."""
    clusters = [values for values in clusters if len(values)]
    k = len(clusters)
    if k < 2:
        return None
    hits, n = (np.array([of(values) for values in clusters], float) for of in (sum, len))
    texts = n.sum()
    share = hits.sum() / texts
    variance = k / (k - 1) * np.sum((hits - share * n) ** 2) / texts**2
    fewest = min(np.sum(hits > 0), np.sum(hits < n))
    return float(share), korn_graubard(share, variance, texts, k, fewest, level)


def interval_of_mean(metric, prompts, level=LEVEL):
    """`prompts` holds (value, loops) of each text. A mean of 1 and 0 is a share. Of any other, BCa's limits are
    joined with the means that follow from the limits of P(loop) (docs/intervals.md, The mean)."""
    if metric in ONE_OR_NONE:
        share = share_over_prompts([[value for value, _ in texts] for texts in prompts], level)
        return share and share[1]
    prompts = [texts for texts in prompts if texts]
    if len(prompts) < LEAST_PROMPTS:
        return None
    best, worst = ENDS.get(metric, (None, None))
    looping = mean([value for texts in prompts for value, loops in texts if loops])
    free = mean([value for texts in prompts for value, loops in texts if not loops])
    looping, free = worst if looping is None else looping, best if free is None else free
    if looping is None or free is None:
        return None
    _, limits = share_over_prompts([[float(loops) for _, loops in texts] for texts in prompts], level)
    low, high = bca_of_mean([[value for value, _ in texts] for texts in prompts], level, LEAST_PROMPTS)
    means = [free + p * (looping - free) for p in limits]
    return [min(low, *means), max(high, *means)]


def clustered_standard_error(clusters):
    """Miller 2024, "Adding Error Bars to Evals", equation 4."""
    clusters = [np.asarray(values, float) for values in clusters if len(values)]
    if len(clusters) < 2:
        return None
    values = np.concatenate(clusters)
    centre = mean(values)
    return math.sqrt(sum(np.sum(of - centre) ** 2 for of in clusters)) / len(values)


def icc(clusters):
    """ICC(1) of Shrout and Fleiss 1979; for clusters of other sizes, k as in Donner 1986."""
    clusters = [np.asarray(values, float) for values in clusters if len(values)]
    c = len(clusters)
    if c < 2:
        return None
    values = np.concatenate(clusters)
    n, centre = len(values), mean(values)
    if n <= c:
        return None
    means = [centre + np.sum(of - centre) / len(of) for of in clusters]
    between = sum(len(of) * (m - centre) ** 2 for of, m in zip(clusters, means)) / (c - 1)
    within = sum(np.sum((of - m) ** 2) for of, m in zip(clusters, means)) / (n - c)
    k = (n - sum(len(of) ** 2 for of in clusters) / n) / (c - 1)
    total = between + (k - 1) * within
    return float((between - within) / total) if total > 0 else None


# ---------------------------------------------------------------- tests


Measured = namedtuple("Measured", "estimate interval se")
# What all texts of a prompt are in an arm: whether any loops, whether any does not.
Kinds = namedtuple("Kinds", "loops free")
Difference = namedtuple("Difference", "value base other")


def and_kinds(one, other):
    return Kinds(one.loops or other.loops, one.free or other.free)


def is_as_far(arranged, own):
    """A sum in another order may differ in its last bits."""
    return np.abs(arranged) >= abs(own) * (1 - 1e-10)


def p_of_turning(n, statistic):
    """Fisher 1935, "The Design of Experiments", § 21; drawn ones as in Phipson and Smyth 2010. `statistic` takes
    the matrix of signs and must not change its size with all signs turned."""
    signs, are_all = arrangements(n)
    hits = int(np.sum(is_as_far(statistic(signs), statistic(np.ones((1, n), int))[0])))
    return hits / len(signs) if are_all else (hits + 1) / (DRAWS + 1)


def p_of_mean(values, null=0.0):
    """Of the mean being `null`: the signs of values about it are turned. In whole 1e-12, which add up exactly."""
    about = rounded(np.asarray(values, float) - null)
    if np.abs(about).max(initial=0.0) * len(about) < 9e6:
        about = np.rint(about * 1e12).astype(np.int64)
    return p_of_turning(len(about), lambda signs: (signs @ about).astype(float))


def interval_by_turning(values, level=LEVEL):
    """All means that turning signs would not reject: order statistics of the means of subsets (Hartigan 1969,
    "Using Subsample Values as Typical Values"). None where p can't be so low."""
    values = np.asarray(values, float)
    n = len(values)
    signs, are_all = arrangements(n)
    turned = signs < 0
    n_turned = turned.sum(1)
    whole = (n_turned == 0) | (n_turned == n)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_turned, of_kept = turned @ values / n_turned, ~turned @ values / (n - n_turned)
    lows = np.where(whole, -np.inf, np.fmin(of_turned, of_kept))
    highs = np.where(whole, np.inf, np.fmax(of_turned, of_kept))
    tail = 1 - level
    least = int(tail * len(signs) + 1e-9) + 1 if are_all else int(tail * (DRAWS + 1) + 1e-9)
    low, high = np.sort(lows)[least - 1], -np.sort(-highs)[least - 1]
    return [rounded(low), rounded(high)] if np.isfinite(low) and np.isfinite(high) else None


def sign_test(values, null=0.0):
    """The mean of values, one a prompt, with the interval of the test, and its p."""
    if len(values) < 2:
        raise TooLittle("prompts")
    return Measured(mean(values), interval_by_turning(values), standard_error(values)), p_of_mean(values, null)


def rare(prompts, toward):
    """Prompts of a kind that fewer than five are of (docs/statistics.md, What the sample may have missed): how many
    are `toward` the higher (1) or the lower (-1), of how many, the mean of the others, and the difference that
    one may have; None where no kind is rare."""
    few = lambda has: sum(map(has, prompts)) < 5
    of_arm = lambda prompt, other: prompt.other if (toward > 0) == other else prompt.base
    worst = 1.0
    goes_that_way = lambda prompt: of_arm(prompt, False).free or of_arm(prompt, True).loops
    if all(prompt.value == prompts[0].value for prompt in prompts):
        is_hit = lambda prompt: False
    elif few(lambda prompt: prompt.base.loops or prompt.other.loops):
        is_hit = lambda prompt: of_arm(prompt, True).loops
    elif few(lambda prompt: prompt.base.free or prompt.other.free):
        is_hit = lambda prompt: of_arm(prompt, False).free
    elif few(goes_that_way):
        is_hit, worst = goes_that_way, 0.0
    else:
        return None
    others = mean([toward * prompt.value for prompt in prompts if not is_hit(prompt)]) or 0.0
    return sum(map(is_hit, prompts)), len(prompts), others, max(worst, others)


def p_unseen(prompts, bound, toward):
    """Of the mean difference being `bound` or beyond: P(Binomial(n, u) ≤ h), u = (bound − d) / (1 − d)."""
    found = rare(prompts, toward)
    if found is None:
        return 0.0
    hits, n, others, worst = found
    bound *= toward
    if others >= bound:
        return 1.0
    if worst < bound:
        return 0.0
    if hits == n:
        return 1.0
    share = (bound - others) / (worst - others)
    return 0.0 if share >= 1 else float(bdtr(hits, n, share))


def widened(interval, prompts, level):
    """An interval joined at each end with Clopper and Pearson's bound for what was not seen."""
    def limit(toward):
        found = rare(prompts, toward)
        if found is None:
            return -math.inf
        hits, n, others, worst = found
        share = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - (1 - level) / 2))
        return share * worst + (1 - share) * others

    return [min(interval[0], -limit(-1)), max(interval[1], limit(1))]


def test_difference(prompts, null, is_bounded):
    """Of the mean difference over prompts; its interval holds what may have been missed."""
    found, p = sign_test([prompt.value for prompt in prompts], null)
    if is_bounded and found.interval:
        found = found._replace(interval=widened(found.interval, prompts, LEVEL))
    return found, p


Equivalence = namedtuple("Equivalence", "estimate interval se within beyond not_above above unseen")


def equivalence(prompts, margin, is_bounded):
    """Two one-sided tests (Schuirmann 1987) by Student's t and by the studentised bootstrap (Efron and Tibshirani
    1993, § 16.4), where a resample's standard error counts as at least a third of the sample's; each p is the
    greatest of these and of what may have been missed."""
    n = len(prompts)
    if n < LEAST_PROMPTS:
        raise TooLittle("prompts")
    values = np.array([prompt.value for prompt in prompts])
    unseen = lambda bound, toward: p_unseen(prompts, bound, toward) if is_bounded else 0.0
    not_above, not_below = unseen(margin, 1), unseen(-margin, -1)
    above, below = unseen(margin, -1), unseen(-margin, 1)
    join = lambda interval: widened(interval, prompts, LEVEL_OF_EQUIVALENCE) if is_bounded else interval
    own, error = mean(values), standard_error(values)
    if error <= 0:
        if not is_bounded:
            raise NoVariation("differences")
        not_above = not_above if own < margin else 1.0
        not_below = not_below if own > -margin else 1.0
        above = above if own > margin else 1.0
        below = below if own < -margin else 1.0
        within, unseen_p = max(not_above, not_below), max(not_above, not_below)
        return Equivalence(own, join([own, own]), 0.0, within, min(above, below), not_above, above, unseen_p)
    drawn = values[resamples(n)[0]]
    errors = np.std(drawn, axis=1, ddof=1) / math.sqrt(n)
    ts = (drawn.mean(1) - own) / np.maximum(errors, error / 3)
    t_low, t_high = (own + margin) / error, (own - margin) / error
    boot = lambda hits: (np.sum(hits) + 1) / (RESAMPLES + 1)
    lower_tail = lambda t: float(stdtr(n - 1, t))
    is_not_above = max(lower_tail(t_high), boot(ts <= t_high), not_above)
    is_not_below = max(lower_tail(-t_low), boot(ts >= t_low), not_below)
    is_above = max(lower_tail(-t_high), boot(ts >= t_high), above)
    is_below = max(lower_tail(t_low), boot(ts <= t_low), below)
    t = t_quantile(0.95, n - 1)
    interval = [own - max(np.quantile(ts, 0.95), t) * error, own - min(np.quantile(ts, 0.05), -t) * error]
    within, beyond = max(is_not_above, is_not_below), min(is_above, is_below)
    return Equivalence(own, join(interval), error, within, beyond, is_not_above, is_above, max(not_above, not_below))


def page(blocks):
    """Page 1963, "Ordered hypotheses for multiple treatments", by shuffling levels within prompts; beside it mean
    Spearman's ρ with the test over prompts. Returns both p-values, ρ, and each prompt's ρ."""
    if len(blocks) < 2 or len(blocks[0]) < 2:
        raise TooLittle("prompts or levels")
    blocks = rounded(np.asarray(blocks, float))
    n, k = blocks.shape
    ranks = np.array([rankdata(block) for block in blocks]) - (k + 1) / 2
    if not ranks.any():
        raise NoVariation("values within every prompt")
    levels = np.arange(k)
    squares = (ranks**2).sum(1)
    of_levels = k * (k * k - 1) / 12
    rhos = np.where(squares > 0, ranks @ levels / np.sqrt(of_levels * np.where(squares > 0, squares, 1)), 0.0)
    shuffled = np.take_along_axis(np.broadcast_to(ranks, (DRAWS, n, k)), shuffles(n, k), 2)
    hits = np.sum(is_as_far((shuffled @ levels.astype(float)).sum(1), (ranks @ levels).sum()))
    found, over_prompts = sign_test(rhos)
    if found.interval and found.interval[0] == found.interval[1]:
        rho, unseen = found.interval[0], 1 - ((1 - LEVEL) / 2) ** (1 / n)
        found = found._replace(interval=[rho - unseen * (rho + 1), rho + unseen * (1 - rho)])
    return (int(hits) + 1) / (DRAWS + 1), over_prompts, found, rhos


Interaction = namedtuple("Interaction", "p share difference")


def interaction(levels, prompts):
    """Restricted permutation of residuals (Anderson and ter Braak 2003): cells freed of the prompt's mean and its two
    main effects, the signs of whole prompts turned. For two levels each also the difference of differences."""
    if len(prompts) < 2 or min(levels) < 2:
        raise TooLittle("prompts or levels")
    cells = np.asarray(prompts, float).reshape(-1, *levels)
    residuals = cells - cells.mean(2, keepdims=True)
    residuals = (residuals - residuals.mean(1, keepdims=True)).reshape(len(cells), -1)
    squares = (residuals**2).sum(1)
    if np.all(np.sqrt(squares) <= np.abs(cells).max() * 1e-12):
        raise NoVariation("prompts' interactions")
    n = len(cells)
    share = n * np.sum(residuals.mean(0) ** 2) / squares.sum()
    p = p_of_turning(n, lambda signs: ((signs @ residuals / n) ** 2).sum(1))
    difference = None
    if list(levels) == [2, 2]:
        difference, _ = sign_test(cells[:, 1, 1] - cells[:, 1, 0] - cells[:, 0, 1] + cells[:, 0, 0])
    return Interaction(p, float(share), difference)


def holm(p_values):
    """Holm 1979; of those that are given."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted, most = [None] * len(p_values), 0.0
    for step, (p, place) in enumerate(known):
        most = min(1.0, max(most, p * (len(known) - step)))
        adjusted[place] = most
    return adjusted


# ---------------------------------------------------------------- what a design can see (docs/planning.md)


def spreads(n, points):
    """Values of s / σ of n normal numbers (χ / √ν) and their weights."""
    degrees = n - 1
    reach = 9 / math.sqrt(2 * degrees)
    low, high = max(1 - reach, 0.0), 1 + reach
    s = low + (high - low) * (np.arange(points) + 0.5) / points
    density = np.exp((degrees - 1) * np.log(s) - degrees * (s * s - 1) / 2)
    return s, density / density.sum()


def least_size(power_at, power=0.8):
    """The least size at which a power that grows with it is reached."""
    low, high = 0.0, 1.0
    while power_at(high) < power:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if power_at(middle) < power else (low, middle)
    return high


@cache
def subset_thresholds(n, alpha):
    """What turning the signs of n ≤ 16 prompts takes, in σ/√n: minus an order statistic of the means of all
    subsets of a sample of mean 0 (Hartigan 1969), for shapes of samples drawn from a fixed key."""
    k = int(alpha * 0.5 * 2**n * (1 + 1e-12))
    n_shapes = min((1 << 22) >> n, 512)
    words = chacha8(b"moe-sweep: shapes of a sample...", n_shapes * n).astype(float).reshape(n_shapes, n)
    shapes = ndtri((words + 0.5) / 2**32)
    shapes -= shapes.mean(1, keepdims=True)
    shapes /= shapes.std(1, ddof=1, keepdims=True)
    subsets = (np.arange(1, 1 << n)[:, None] >> np.arange(n)) & 1
    sizes = subsets.sum(1)
    of_shape = lambda shape: np.partition(subsets @ shape / sizes, k - 1)[k - 1]
    return -math.sqrt(n) * np.array([of_shape(shape) for shape in shapes])


def thresholds(n, alpha):
    """What √n z̄ / σ must exceed to be found, two-sided, and weights; None where p can't fall to alpha."""
    if n > 16:
        if 1 / (DRAWS + 1) > alpha:
            return None
        s, weights = spreads(n, 20_000)
        return t_quantile(1 - alpha / 2, n - 1) * s, weights
    if 0.5 ** (n - 1) > alpha:
        return None
    s, weights = spreads(n, 400)
    critical = subset_thresholds(n, alpha)
    return np.outer(critical, s).ravel(), np.tile(weights / len(critical), len(critical))


def detectable_effect(sd, n, alpha):
    """The mean difference that turning signs finds with a power of 0.8."""
    found = thresholds(n, alpha)
    if found is None:
        return None
    limits, weights = found

    def power(size):
        delta = size * math.sqrt(n)
        return float(weights @ (ndtr(delta - limits) + ndtr(-limits - delta)))

    return sd * least_size(power)


def detectable_margin(sd, n, alpha, is_one_sided, is_bounded):
    """The least margin that is decided where nothing differs (Phillips 1990), and never below 1 − α^(1/n)."""
    s, weights = spreads(n, 20_000)
    limits = t_quantile(1 - alpha, n - 1) * s

    def power(size):
        delta = size * math.sqrt(n)
        within = ndtr(delta - limits) if is_one_sided else np.maximum(1 - 2 * ndtr(limits - delta), 0)
        return float(weights @ within)

    by_spread = sd * least_size(power)
    return max(by_spread, 1 - alpha ** (1 / n)) if is_bounded else by_spread


def standard_deviation(values):
    """None where nothing varies."""
    if len(values) < 2:
        return None
    sd = standard_error(values) * math.sqrt(len(values))
    return sd if sd > 0 else None


# ---------------------------------------------------------------- the texts


def level_of(factor, value):
    """A level, so that levels are equal where they are the same and ordered where they have an order."""
    if factor == "temperature":
        return float(np.float32(value))
    if factor == "offload":
        if isinstance(value, dict):
            return (1, int(value["layers"]))
        known = {"none": (0, 0), "all": (2, 0)}
        return known[value] if value in known else (1, int("".join(filter(str.isdigit, value))))
    if factor == "op_offload":
        return 0 if str(value).lower() == "true" else 1
    if factor == "quant":
        return QUANTS.index(value)
    if factor == "template":
        return ["raw", "chat"].index(value)
    return value


class Trial:
    """A row of trials.csv."""

    def __init__(self, row, metrics):
        self.id, self.prompt, self.status = row["trial_id"], row["prompt"], row["status"]
        self.seed = int(row["seed"]) if row["seed"] else None
        self.level = {factor: level_of(factor, row[factor]) for factor in FACTORS}
        self.name = {factor: row[factor] for factor in FACTORS}
        self.cell = tuple(row[factor] for factor in FACTORS)
        self.whole = Scores(row, metrics) if self.status == "ok" else None
        self.parts = {}

    def scores_of(self, part):
        """None where it has no such part."""
        if self.whole is None or part == "whole" or (part == "answer" and not self.parts):
            return self.whole
        return self.parts.get(part)


class Scores:
    """What a text scores."""

    def __init__(self, row, metrics):
        self.values = {metric: float(row[metric]) if row[metric] else None for metric in metrics}
        self.unseen_by = set(row["unseen_by"].split())
        self.has_tokens = bool(row.get("n_tokens")) and int(row["n_tokens"]) > 0

    def __getitem__(self, metric):
        return self.values[metric]

    def loops(self):
        return self["loop"] == 1.0

    def sees(self, metric):
        """Whether the metric could see the repetition in this text (docs/metrics.md, Which metric sees what)."""
        if metric == "repetition_score":
            return "words" not in self.unseen_by
        if metric == "covered_20_chars":
            return "characters" not in self.unseen_by
        if metric == "empty_answer":
            return True
        shows = not self.loops() or self[metric] == 1.0
        if metric in VERDICTS_OF_TOKENS:
            return self.has_tokens and shows
        has_words = self["seq_rep_1_words"] is not None
        if metric in VERDICTS_OF_CHARACTERS:
            return has_words and shows
        if metric in OTHERS_OF_TOKENS | OTHERS_OF_TEXT:
            has_medium = self.has_tokens if metric in OTHERS_OF_TOKENS else has_words
            return has_medium and (not self.loops() or self[metric] is not None)
        raise CannotTell(f"trials.csv does not say which texts {metric} can't see into")


def read_csv(path):
    """The rows of a table, without the apostrophes that keep texts from being formulas."""
    with open(path, newline="") as file:
        return [{name: cell.removeprefix("'") for name, cell in row.items()} for row in csv.DictReader(file)]


class Folder:
    """A results folder."""

    def __init__(self, path):
        self.path = Path(path)
        self.plan = json.loads((self.path / "plan.json").read_text())
        rows = read_csv(self.path / "trials.csv")
        columns = list(rows[0])
        self.metrics = columns[columns.index("draw_seed") + 1 :]
        self.trials = [Trial(row, self.metrics) for row in rows]
        self.read_parts()
        self.records = self.read_records()
        manifest = json.loads((self.path / "manifest.json").read_text())
        self.has_accelerator = any(model.get("accelerators") for model in manifest["models"])

    def read_parts(self):
        path = self.path / "parts.csv"
        if path.exists():
            of = defaultdict(dict)
            for row in read_csv(path):
                key = (row["trial_id"], *(row[factor] for factor in FACTORS))
                of[key][row["part"]] = Scores(row, self.metrics)
            for trial in self.trials:
                trial.parts = of.get((trial.id, *trial.cell), {})

    def read_records(self):
        """Of each trial's id the text that it has: the last record counts."""
        records = {}
        with open(self.path / "trials.jsonl") as file:
            for line in file:
                record = json.loads(line)
                if "id" in record:
                    records[record["id"]] = record["outcome"].get("generated")
        return records

    def cells(self):
        """Trials by cell, in the order of the cells' first trials."""
        cells = {}
        for trial in self.trials:
            cells.setdefault(trial.cell, []).append(trial)
        return cells


def is_same_text(one, other):
    """Word for word, thought and answer, by tokens where both have them; and ended for the same reason, where told."""
    if (one.get("thought") or "", one["text"]) != (other.get("thought") or "", other["text"]):
        return False
    tokens = one.get("tokens"), other.get("tokens")
    if None not in tokens and tokens[0] != tokens[1]:
        return False
    stops = {one["stop"], other["stop"]}
    return len(stops) == 1 or "unknown" in stops


# ---------------------------------------------------------------- cells.csv


def number(text):
    return float(text) if text != "" else None


def by_prompt(trials, in_order_of_ids):
    """The scores of texts, a list a prompt; in the order of the prompts' first texts, or of their ids."""
    prompts = {}
    for trial in trials:
        if trial.whole is not None:
            prompts.setdefault(trial.prompt, []).append(trial)
    return [prompts[prompt] for prompt in (sorted(prompts) if in_order_of_ids else prompts)]


def check_cells(folder, ledger):
    theirs = {}
    for row in read_csv(folder.path / "cells.csv"):
        theirs[tuple(row[factor] for factor in FACTORS), row["metric"]] = row
    mine = {}
    for cell, trials in folder.cells().items():
        mine |= {(cell, metric): of for metric, of in summaries(folder, trials)}
    ledger.same("cells: rows", folder.path, sorted(map(str, mine)), sorted(map(str, theirs)))
    for key, of in mine.items():
        row = theirs.get(key)
        if row is None:
            continue
        where = " ".join([*key[0], key[1]])
        kind = f"cells: {key[1]}" if key[1] in ("p_loop", "score_without_loop", "self_repetition") else "cells: metrics"
        for what in ("n", "n_empty", "n_prompts"):
            ledger.compare(f"{kind}, counts", where, of[what], number(row[what]))
        for what in ("mean", "median"):
            ledger.compare(f"{kind}, {what}", where, of.get(what), number(row[what]))
        ledger.compare(f"{kind}, se", where, of["se"], number(row["se"]))
        ledger.compare(f"{kind}, icc", where, of["icc"], number(row["icc"]))
        limits = [number(row[what]) for what in ("ci_low", "ci_high")]
        interval = of["interval"] or [None, None]
        ledger.compare(f"{kind}, level", where, of["interval"] and LEVEL, number(row["level"]))
        what = "interval of a share" if key[1] in ONE_OR_NONE | {"p_loop"} else "interval"
        ledger.compare(f"{kind}, {what}", where, interval, limits, QUANTILES)


def dispersion(clusters):
    clusters = [values for values in clusters if len(values)]
    return {"n_prompts": len(clusters), "se": clustered_standard_error(clusters), "icc": icc(clusters)}


def summaries(folder, trials):
    """The rows of one cell."""
    n_empty = sum(trial.whole is not None and trial.whole["empty_answer"] == 1.0 for trial in trials)
    prompts = by_prompt(trials, in_order_of_ids=False)
    for metric in folder.metrics:
        known = lambda texts: [trial.whole for trial in texts if trial.whole[metric] is not None]
        clusters = [[scores[metric] for scores in known(texts)] for texts in prompts]
        values = [value for texts in clusters for value in texts]
        with_loops = [[(scores[metric], scores.loops()) for scores in known(texts)] for texts in prompts]
        of = {"n": len(values), "n_empty": n_empty, "mean": mean(values), **dispersion(clusters)}
        of["median"] = float(np.median(values)) if values else None
        of["interval"] = interval_of_mean(metric, with_loops) if values else None
        yield metric, of
    prompts = by_prompt(trials, in_order_of_ids=True)
    prompts = [[trial for trial in texts if trial.whole["loop"] is not None] for texts in prompts]
    loops = [[float(trial.whole.loops()) for trial in texts] for texts in prompts]
    score = lambda trial: trial.whole["repetition_score"]
    is_free = lambda trial: not trial.whole.loops()
    free = [[score(trial) for trial in texts if is_free(trial) and score(trial) is not None] for texts in prompts]
    share = share_over_prompts(loops)
    of_loops, of_free = (dispersion(of) if share else dispersion([]) for of in (loops, free))
    n_texts = sum(map(len, loops)) if share else 0
    n_free = sum(is_free(trial) for texts in prompts for trial in texts) if share else 0
    mean_loops, interval = share or (None, None)
    yield "p_loop", {"n": n_texts, "n_empty": n_empty, "mean": mean_loops, "interval": interval, **of_loops}
    interval = bca_of_mean(free) if share else None
    mean_free = mean([value for texts in free for value in texts]) if interval else None
    yield "score_without_loop", {"n": n_free, "n_empty": n_empty, "mean": mean_free, "interval": interval, **of_free}
    alike = [self_repetition([folder.records[trial.id]["text"] for trial in texts]) for texts in prompts]
    alike = [[value] for value in alike if value is not None]
    interval = bca_of_mean(alike)
    mean_alike = mean([value for value, in alike]) if interval else None
    of = {"n": len(alike), "n_empty": n_empty, "mean": mean_alike, "interval": interval, **dispersion(alike)}
    yield "self_repetition", of


def self_repetition(texts):
    """Shaib et al. 2024, "Standardizing the Measurement of Text Diversity": mean of ln(1 + Σ over a text's distinct
    4-grams of white-space words of the other texts that have it)."""
    grams = [{tuple(words[at : at + 4]) for at in range(len(words) - 3)} for words in map(str.split, texts)]
    grams = [of for of in grams if of]
    if len(grams) < 2:
        return None
    texts_with = defaultdict(int)
    for of in grams:
        for gram in of:
            texts_with[gram] += 1
    return sum(math.log1p(sum(texts_with[gram] - 1 for gram in of)) for of in grams) / len(grams)


# ---------------------------------------------------------------- onset.csv


def longest_tail(items, copies):
    """The longest tail that is so many copies of a unit, the last perhaps partial: (onset, period). By the prefix
    function of the reversed sequence (Knuth, Morris and Pratt 1977)."""
    items = items[::-1]
    borders, found = [0] * len(items), None
    for at in range(1, len(items)):
        border = borders[at - 1]
        while border and items[at] != items[border]:
            border = borders[border - 1]
        borders[at] = border + (items[at] == items[border])
        period = at + 1 - borders[at]
        if at + 1 >= copies * period:
            found = len(items) - at - 1, period
    return found


def loop_onset_tokens(record):
    """The first token of the loop in which the tokens end: three copies over 48 tokens."""
    tail = longest_tail(record["tokens"], 3) if record.get("tokens") else None
    return tail[0] if tail and len(record["tokens"]) - tail[0] >= 48 else None


def loop_onset_characters(text):
    """The same of characters, three copies over 120; with each run of digits made one character, if letters repeat."""
    onsets = []
    plain = longest_tail(text, 3)
    if plain and len(text) - plain[0] >= 120:
        onsets.append(plain[0])
    masked, starts, was_digit = [], [], False
    for at, character in enumerate(text):
        is_digit = character in "0123456789"
        if not (is_digit and was_digit):
            masked.append("#" if is_digit else character)
            starts.append(at)
        was_digit = is_digit
    if any(character in "0123456789" for character in text):
        tail = longest_tail(masked, 3)
        if tail and len(text) - starts[tail[0]] >= 120 and any(map(str.isalpha, masked[tail[0] : sum(tail)])):
            onsets.append(starts[tail[0]])
    return min(onsets, default=None)


def kaplan_meier(prompts):
    """Kaplan and Meier 1958 of (time, is onset), a list a prompt; the error is the jackknife's over prompts (Lipsitz,
    Dear and Zhao 1994), the interval that of a share with this error (Dorey and Korn 1987)."""
    prompts = [times for times in prompts if times]
    if not prompts:
        return
    at = {time: place for place, time in enumerate(sorted({time for times in prompts for time, _ in times}))}
    ends, onsets = np.zeros((len(at), len(prompts))), np.zeros((len(at), len(prompts)))
    for prompt, times in enumerate(prompts):
        for time, is_onset in times:
            ends[at[time], prompt] += 1
            onsets[at[time], prompt] += is_onset
    risk = ends.sum(0) - np.cumsum(ends, axis=0) + ends
    all_risk, all_onsets = risk.sum(1), onsets.sum(1)

    def survival(risk, onsets):
        return np.cumprod(np.where(onsets > 0, 1 - onsets / np.where(risk > 0, risk, 1), 1), axis=0)

    whole = survival(all_risk, all_onsets)
    without = survival(all_risk[:, None] - risk, all_onsets[:, None] - onsets)
    n = len(prompts)
    for time, place in at.items():
        if all_onsets[place] == 0:
            continue
        error = math.sqrt(np.sum((without[place] - without[place].mean()) ** 2) * (n - 1) / n) if n > 1 else None
        with_onset = np.sum(onsets[: place + 1].sum(0) > 0)
        left = np.sum(ends[place + 1 :].sum(0) > 0)
        interval = None
        if error is not None:
            share = 1 - whole[place]
            low, high = korn_graubard(share, error**2, ends.sum(), n, min(with_onset, left))
            interval = [1 - high, 1 - low]
        yield time, whole[place], interval, error, int(all_risk[place]), int(all_onsets[place])


def check_onsets(folder, ledger):
    theirs = defaultdict(list)
    for row in read_csv(folder.path / "onset.csv"):
        theirs[tuple(row[factor] for factor in FACTORS)].append(row)
    if any(trial.parts for trial in folder.trials) or any(trial.status == "censored" for trial in folder.trials):
        return ledger.leave_out("onset: survival", folder.path, "texts with a thought, or cut ones")
    scored = [trial for trial in folder.trials if trial.whole is not None and trial.whole["loop"] is not None]
    looping = {trial.id for trial in scored if trial.whole.loops()}
    of_tokens = {id: loop_onset_tokens(folder.records[id]) for id in looping}
    unit = "characters" if None in of_tokens.values() else "tokens"
    onset = of_tokens
    if unit == "characters":
        onset = {id: loop_onset_characters(folder.records[id]["text"]) for id in looping}
    for cell, trials in folder.cells().items():
        where = " ".join(cell)
        prompts = []
        for texts in by_prompt(trials, in_order_of_ids=True):
            times = []
            for trial in texts:
                record = folder.records[trial.id]
                if trial.whole["loop"] is None:
                    continue
                begun = onset.get(trial.id)
                end = len(record["text"]) if unit == "characters" else len(record["tokens"])
                times.append((float(end), False) if begun is None else (float(begun), True))
            prompts.append(times)
        steps, rows = list(kaplan_meier(prompts)), theirs.pop(cell, [])
        ledger.compare("onset: steps", where, len(steps), len(rows))
        for (time, survival, interval, error, at_risk, n_onsets), row in zip(steps, rows):
            ledger.same("onset: unit", where, unit, row["unit"])
            counts = [number(row[what]) for what in ("time", "n_at_risk", "n_onsets")]
            ledger.compare("onset: times and counts", where, [time, at_risk, n_onsets], counts)
            ledger.compare("onset: survival", where, float(survival), number(row["without_loop"]))
            ledger.compare("onset: se", where, error, number(row["se"]))
            limits = [number(row["ci_low"]), number(row["ci_high"])]
            ledger.compare("onset: level", where, interval and LEVEL, number(row["level"]))
            ledger.compare("onset: interval", where, interval or [None] * 2, limits, QUANTILES)
    ledger.same("onset: cells", folder.path, [], list(theirs))


# ---------------------------------------------------------------- samples of a hypothesis


def selected(selection, trial):
    """Of a factor without levels in the selection, all are taken."""
    chosen = lambda factor: selection.get(factor) or []
    return all(
        not chosen(factor) or trial.level[factor] in [level_of(factor, value) for value in chosen(factor)]
        for factor in FACTORS
    )


def named_factors(*selections):
    return [factor for factor in FACTORS if any(selection.get(factor) for selection in selections)]


class Hypothesis:
    """A hypothesis of plan.json."""

    def __init__(self, plan):
        self.id, self.metric, self.first, self.within = plan["id"], plan["metric"], plan["first"], plan["within"]
        self.part, self.each, self.sides = plan.get("part", "whole"), plan["each"], plan["sides"]
        self.least = plan.get("least")
        (self.test, self.asked), = plan["test"].items()
        self.is_bounded = self.metric in BOUNDED

    def arms(self):
        """What is set against each other, if it is two selections."""
        return [self.asked["base"], self.asked["other"]] if "base" in self.asked else None

    def factors(self):
        """Along which it compares."""
        if self.test == "trend":
            return [self.asked["factor"]]
        return self.asked["factors"] if self.test == "interaction" else named_factors(*self.arms())

    def takes(self, trial):
        return selected(self.within, trial) and (not self.arms() or any(selected(arm, trial) for arm in self.arms()))


# A text that counts; its record is None where its score is supposed. `loops` by the column `loop`; it is `repeated`
# if it does, or if half of it is repeated by a metric that is near 0 for a clean text.
Text = namedtuple("Text", "trial value loops repeated record")
# What is known of a score: known, blind, failed, short or absent.
Score = namedtuple("Score", "what value loops")


def repetition_of_first(record, k):
    """The finding's score of a text's first k white-space words; None of fewer."""
    text = f"{record['thought']}\n{record['text']}" if record.get("thought") else record["text"]
    words = text.split()[:k]
    if len(words) < k:
        return None
    trigrams = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    return 1 - len(set(trigrams)) / len(trigrams) if trigrams else 0.0


def is_left_out(hypothesis, scores):
    """Whether a text is empty, and the claim has a direction: of silence it can't be said that it repeats itself more."""
    is_empty = scores["empty_answer"] == 1.0 and scores["seq_rep_1_words"] is None and scores[hypothesis.metric] is None
    return hypothesis.test != "equivalence" and is_empty


def score_of(hypothesis, trial, record):
    """A text's score, or why it is not known."""
    if trial.status == "failed":
        return Score("failed", None, False)
    scores = trial.scores_of(hypothesis.part)
    if scores is None or is_left_out(hypothesis, scores):
        return Score("absent", None, False)
    metric, value = hypothesis.metric, scores[hypothesis.metric]
    if hypothesis.first is not None:
        if metric != "repetition_score" or hypothesis.part != "whole":
            raise CannotTell(f"the first {hypothesis.first} words by {metric} of {hypothesis.part}")
        value = repetition_of_first(record, hypothesis.first)
    if not scores.sees(metric):
        return Score("blind", value, scores.loops())
    if value is not None:
        return Score("known", value, scores.loops())
    is_short = hypothesis.first is not None and scores[metric] is not None
    return Score("short" if is_short else "absent", None, False)


class Sample:
    """The texts that count, and the trials that were planned."""

    def __init__(self, texts, planned):
        self.texts, self.planned = texts, planned

    @classmethod
    def of(cls, hypothesis, folder, suppose):
        """`suppose` gives the value of a text whose score is not known, from what the metric says."""
        planned = [trial for trial in folder.trials if selected(hypothesis.within, trial)]
        texts = []
        for trial in planned:
            record = folder.records.get(trial.id)
            score = score_of(hypothesis, trial, record)
            is_loop = lambda value: hypothesis.metric in NEAR_0 and value >= 0.5
            if score.what == "known":
                texts.append(Text(trial, score.value, score.loops, score.loops or is_loop(score.value), record))
            elif score.what != "absent":
                value = suppose(trial, score.what, score.value)
                if value is not None:
                    loops = score.loops if score.what == "blind" else value >= 0.5
                    record = record if score.what == "blind" else None
                    texts.append(Text(trial, value, loops, loops or is_loop(value), record))
        return cls(texts, planned)

    def split(self, factor):
        """By the factor's levels, in the order of their first trials."""
        names = dict.fromkeys(trial.name[factor] for trial in self.planned)
        for name in names:
            texts = [text for text in self.texts if text.trial.name[factor] == name]
            yield name, Sample(texts, [trial for trial in self.planned if trial.name[factor] == name])

    def of_loops(self):
        return Sample([text._replace(value=float(text.loops)) for text in self.texts], self.planned)

    def without_loops(self):
        return Sample([text for text in self.texts if not text.loops], self.planned)

    def pairs(self, base, other):
        """Each prompt's mean difference over pairs of the same seed and levels of what neither names. A text without
        a seed pairs with each seed of the other side."""
        rest = [factor for factor in FACTORS if factor not in named_factors(base, other)]
        groups = defaultdict(lambda: (defaultdict(list), defaultdict(list)))
        for text in self.texts:
            for side, selection in enumerate((base, other)):
                if selected(selection, text.trial):
                    key = text.trial.prompt, tuple(text.trial.level[factor] for factor in rest)
                    groups[key][side][text.trial.seed].append(text)
        prompts, blocks = {}, Blocks()
        for (prompt, _), sides in sorted(groups.items()):
            seeds = sorted({seed for side in sides for seed in side}, key=lambda seed: (seed is not None, seed))
            pairs = []
            for seed in seeds:
                if seed is None and len(seeds) > 1:
                    continue
                found = [side.get(seed) or side.get(None) for side in sides]
                if all(found):
                    pairs.append(found)
            if not pairs:
                continue
            blocks.n_texts += sum(len(texts) for side in sides for texts in side.values())
            of = prompts.setdefault(prompt, [[], Kinds(False, False), Kinds(False, False)])
            for pair in pairs:
                blocks.sameness = min(blocks.sameness, sameness(*pair))
                of[0].append(mean_value(pair[1]) - mean_value(pair[0]))
                of[1], of[2] = and_kinds(of[1], kinds(pair[0])), and_kinds(of[2], kinds(pair[1]))
        blocks.prompts = [Difference(rounded(mean(d)), base, other) for _, (d, base, other) in sorted(prompts.items())]
        return blocks

    def cells(self, factors):
        """Each prompt's mean and kinds of text at each combination of levels, the last factor's fastest; over the
        combinations of the other factors that have all of them."""
        levels = [sorted({trial.level[factor] for trial in self.planned}) for factor in factors]
        all_places = list(product(*levels))
        rest = [factor for factor in FACTORS if factor not in factors]
        others = lambda trial: tuple(trial.level[factor] for factor in rest)
        place = lambda trial: tuple(trial.level[factor] for factor in factors)
        planned = defaultdict(set)
        for trial in self.planned:
            planned[others(trial)].add(place(trial))
        prompts = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for text in self.texts:
            if len(planned[others(text.trial)]) == len(all_places):
                prompts[text.trial.prompt][others(text.trial)][place(text.trial)].append(text)
        blocks = Blocks()
        for _, found in sorted(prompts.items()):
            whole = [cells for _, cells in sorted(found.items()) if len(cells) == len(all_places)]
            if not whole:
                continue
            for cells in whole:
                blocks.n_texts += sum(map(len, cells.values()))
                for at in all_places[1:]:
                    blocks.sameness = min(blocks.sameness, sameness(cells[all_places[0]], cells[at]))
            texts = [[text for cells in whole for text in cells[at]] for at in all_places]
            blocks.prompts.append(([rounded(mean_value(of)) for of in texts], [kinds(of) for of in texts]))
        return [len(of) for of in levels], blocks


# What the texts compared have in common.
OTHER, SAME_TEXTS, SAME_TRIALS = 0, 1, 2


class Blocks:
    """What a test is made of: an entry a prompt."""

    def __init__(self):
        self.prompts, self.n_texts, self.sameness = [], 0, SAME_TRIALS


def mean_value(texts):
    return mean([text.value for text in texts])


def kinds(texts):
    return Kinds(any(text.repeated for text in texts), any(not text.repeated for text in texts))


def sameness(these, those):
    """Of texts of the same prompt and seeds."""
    if len(these) != len(those):
        return OTHER

    def of(one, other):
        if one.trial.id == other.trial.id:
            return SAME_TRIALS
        if one.record and other.record and is_same_text(one.record, other.record):
            return SAME_TEXTS
        return OTHER

    return min(map(of, these, those), default=OTHER)


# ---------------------------------------------------------------- tests of a hypothesis


class Tested:
    """What a test found."""

    def __init__(self, p_for, p_against, effects, blocks, units=(), sees=None):
        self.p_for, self.p_against, self.effects, self.units = p_for, p_against, effects, list(units)
        self.n_prompts, self.n_texts, self.certain = len(blocks.prompts), blocks.n_texts, None
        # What tells the least that the design can see: ("signs", sides) or ("margin", sides, is bounded).
        self.sees = sees or ("signs", "two")

    def of_same_texts(self, same, is_equivalence):
        """Where the texts compared are the same, an equivalence is a fact; a difference is impossible if they are
        the same trials, and open if other texts were possible."""
        if same == OTHER:
            return self
        if is_equivalence:
            self.certain, self.p_for, self.p_against = "supported", 0.0, 1.0
        elif same == SAME_TRIALS:
            self.certain, self.p_for, self.p_against = "refuted", 1.0, 0.0
        else:
            self.p_for, self.p_against = 1.0, 1.0
        return self

    def detectable(self, alpha):
        sd = standard_deviation(self.units)
        if sd is None:
            return None
        if self.sees[0] == "signs":
            alpha = 2 * alpha if self.sees[1] == "one" else alpha
            return detectable_effect(sd, self.n_prompts, alpha) if alpha < 0.5 else None
        return detectable_margin(sd, self.n_prompts, alpha, self.sees[1] == "one", self.sees[2])


# Of a share and of nothing there is no interval.
Effect = namedtuple("Effect", "name estimate interval se by_chance", defaults=[None, None, None])


def directed(p, found, expect, sides):
    """From a two-sided p to (of the direction expected, of its opposite)."""
    if expect == "different":
        return p, 1.0
    agrees = found > 0 if expect == "increasing" else found < 0
    if sides == "two":
        return (p, 1.0) if agrees else (1.0, p)
    return (p / 2, 1.0) if agrees else (1 - p / 2, 1.0)


def both(*claims):
    """Claims that must all hold (Berger 1982)."""
    return max(of for of, _ in claims), max(against for _, against in claims)


def missed(hypothesis, prompts, found, null, expect):
    """p-values of what the sample may have missed, for a claim that the difference is beyond `null`."""
    if not hypothesis.is_bounded:
        return 0.0, 0.0
    sides = 2 if hypothesis.sides == "two" else 1
    above, below = (min(1.0, sides * p_unseen(prompts, null, toward)) for toward in (-1, 1))
    if expect == "different":
        return (above if found > null else below), 1.0
    return (above, below) if expect == "increasing" else (below, above)


def null_of(hypothesis, expect):
    """The difference from which on a directed claim holds."""
    least = hypothesis.least or 0.0
    return -least if expect == "decreasing" else least


def run_trend(hypothesis, sample):
    _, blocks = sample.cells([hypothesis.asked["factor"]])
    expect, sides, name = hypothesis.asked["expect"], hypothesis.sides, "mean Spearman's ρ"
    try:
        within, over, rho, rhos = page([means for means, _ in blocks.prompts])
    except NoVariation:
        return Tested(1.0, 1.0, [Effect(name, 0.0)], blocks).of_same_texts(blocks.sameness, False)
    of_ends = lambda means, kinds: Difference(rounded(means[-1] - means[0]), kinds[0], kinds[-1])
    ends = [of_ends(*prompt) for prompt in blocks.prompts]
    null = null_of(hypothesis, expect)
    difference, p_difference = test_difference(ends, null, hypothesis.is_bounded)
    change = rounded(difference.estimate)
    claims = [directed(max(within, over), rho.estimate, expect, sides), missed(hypothesis, ends, change, null, expect)]
    if hypothesis.least is not None:
        claims.append(directed(p_difference, change - null, expect, sides))
    # Ranks do not decide against the mean.
    claim = (1.0, 1.0) if rho.estimate * change < 0 else both(*claims)
    effects = [Effect(name, *rho), Effect("mean difference, last level − first", *difference)]
    return Tested(*claim, effects, blocks, rhos, ("signs", sides))


def run_contrast(hypothesis, sample):
    base, other = hypothesis.arms()
    expect, is_bounded = hypothesis.asked["expect"], hypothesis.is_bounded
    blocks = sample.pairs(base, other)
    null = null_of(hypothesis, expect)
    found, p = test_difference(blocks.prompts, null, is_bounded)
    effects = [Effect("mean difference", *found)]
    if is_bounded and hypothesis.metric not in ONE_OR_NONE:
        further = [("in P(loop)", sample.of_loops(), True), ("where neither text loops", sample.without_loops(), False)]
        for name, of, bounded in further:
            try:
                effects.append(Effect(name, *test_difference(of.pairs(base, other).prompts, 0.0, bounded)[0]))
            except TooLittle:
                pass
    change = rounded(found.estimate)
    claim = both(
        directed(p, change - null, expect, hypothesis.sides), missed(hypothesis, blocks.prompts, change, null, expect)
    )
    units = [prompt.value for prompt in blocks.prompts]
    tested = Tested(*claim, effects, blocks, units, ("signs", hypothesis.sides))
    return tested if any(units) else tested.of_same_texts(blocks.sameness, False)


def run_equivalence(hypothesis, sample):
    blocks = sample.pairs(*hypothesis.arms())
    name = "mean difference"
    if blocks.sameness != OTHER and blocks.prompts:
        return Tested(1.0, 1.0, [Effect(name, 0.0)], blocks).of_same_texts(blocks.sameness, True)
    found = equivalence(blocks.prompts, hypothesis.asked["margin"], hypothesis.is_bounded)
    one_sided = hypothesis.sides == "one"
    claim = (found.not_above, found.above) if one_sided else (found.within, found.beyond)
    units = [prompt.value for prompt in blocks.prompts]
    effects = [Effect(name, found.estimate, found.interval, found.se)]
    return Tested(*claim, effects, blocks, units, ("margin", hypothesis.sides, hypothesis.is_bounded))


def run_interaction(hypothesis, sample):
    levels, blocks = sample.cells(hypothesis.asked["factors"])
    name, cells = "share of the variation between cells", [means for means, _ in blocks.prompts]
    try:
        found = interaction(levels, cells)
    except NoVariation:
        return Tested(1.0, 1.0, [Effect(name, 0.0)], blocks)
    effects = [Effect(name, found.share, by_chance=1 / len(cells))]
    units = []
    if found.difference:
        effects.insert(0, Effect("difference of differences", *found.difference))
        units = [d - c - b + a for a, b, c, d in cells]
    return Tested(found.p, 1.0, effects, blocks, units)


RUN = {"trend": run_trend, "contrast": run_contrast, "equivalence": run_equivalence, "interaction": run_interaction}


# ---------------------------------------------------------------- verdicts.json


def run_parts(hypothesis, sample):
    """A test, or one for each level: (level, what was found, or None)."""
    def run(of):
        try:
            return RUN[hypothesis.test](hypothesis, of)
        except TooLittle:
            return None

    if not hypothesis.each:
        return [("", run(sample))]
    return [(level, run(of)) for level, of in sample.split(hypothesis.each)]


def unknown(hypothesis, folder):
    """Whether there are texts whose score is not known, and that matter: those that the metric can't see into, where they
    are more than one in twenty; and failed or short ones."""
    taken = [trial for trial in folder.trials if hypothesis.takes(trial)]
    scored = [scores for trial in taken if (scores := trial.scores_of(hypothesis.part)) is not None]
    scored = [scores for scores in scored if not is_left_out(hypothesis, scores)]
    blind = sum(not scores.sees(hypothesis.metric) for scores in scored) > BLIND_SHARE * len(scored)
    known = (score_of(hypothesis, trial, folder.records.get(trial.id)).what for trial in taken)
    return blind, any(what in ("failed", "short") for what in known)


def counted_as_repeated(hypothesis, folder, extreme):
    """Which trials' unknown texts count as 1 at an extreme (0: the base or the lower half of the levels, 1: the
    other). None where there are no sides."""
    if not hypothesis.is_bounded or hypothesis.test == "interaction":
        return None
    if hypothesis.arms():
        return lambda trial: selected(hypothesis.arms()[extreme], trial)
    factor = hypothesis.asked["factor"]
    levels = sorted({trial.level[factor] for trial in folder.trials if hypothesis.takes(trial)})
    half = len(levels) // 2
    chosen = levels[len(levels) - half :] if extreme else levels[:half]
    return lambda trial: trial.level[factor] in chosen


def withstand(tested, extreme, is_equivalence):
    """A claim, and its opposite, hold only where they hold at an extreme too (Manski 1990)."""
    if extreme is None:
        p = 1.0, 1.0
    elif extreme.effects[0].estimate * tested.effects[0].estimate < 0:
        p = (extreme.p_for if is_equivalence else 1.0), 1.0
    else:
        p = extreme.p_for, extreme.p_against
    tested.p_for, tested.p_against = max(tested.p_for, p[0]), max(tested.p_against, p[1])
    tested.certain = None


def gather(hypothesis, folder):
    """The parts of a hypothesis' evidence; raises NotTested where there is no point in a test."""
    plan = folder.plan
    taken = [trial for trial in folder.trials if hypothesis.takes(trial)]
    if any(factor in plan["inert"] for factor in hypothesis.factors()):
        raise NotTested("inert")
    for doubt in plan.get("doubts", []):
        is_about = doubt.get("factor") is None or doubt["factor"] in hypothesis.factors()
        if is_about and any(trial.name["model"] == doubt["model"] for trial in taken):
            raise NotTested("doubted")
    if folder.has_accelerator and "offload" in hypothesis.factors():
        raise CannotTell("where experts were computed")
    if any(trial.status == "censored" for trial in taken):
        raise NotTested("cut")
    parts = run_parts(hypothesis, Sample.of(hypothesis, folder, lambda trial, what, says: says))
    is_blind, is_lost = unknown(hypothesis, folder)
    if not (is_blind or is_lost):
        return parts
    for extreme in (0, 1):
        counts = counted_as_repeated(hypothesis, folder, extreme)
        if counts is None or any(tested is None for _, tested in parts):
            raise NotTested("unknown scores")
        def suppose(trial, what, says):
            if what == "blind" and not is_blind:
                return says
            return 1.0 if counts(trial) else says or 0.0

        supposed = dict(run_parts(hypothesis, Sample.of(hypothesis, folder, suppose)))
        for level, tested in parts:
            withstand(tested, supposed.get(level), hypothesis.test == "equivalence")
    return parts


class Evidence:
    """All parts of a hypothesis together."""

    def __init__(self, parts):
        self.parts = parts
        found = [tested for _, tested in parts if tested]
        self.found, certain = found, [tested and tested.certain for _, tested in parts]
        self.certain = "refuted" if "refuted" in certain else None
        if parts and all(of == "supported" for of in certain):
            self.certain = "supported"
        # It holds if all hold (Berger 1982), and fails if one fails (Bonferroni).
        self.p_for = max([tested.p_for if tested else 1.0 for _, tested in parts], default=0.0)
        least = min([tested.p_against if tested else 1.0 for _, tested in parts], default=1.0)
        self.p_against = min(1.0, least * len(parts))
        self.p = min(self.p_for, self.p_against) if found and not self.certain else None

    def weakest(self):
        """The part that speaks least for the claim, the first of several."""
        def weight(tested):
            if tested is None:
                return 1.0, 0.0
            return (2.0, 0.0) if tested.certain == "refuted" else (tested.p_for, -tested.p_against)

        return max((tested for _, tested in self.parts), key=weight, default=None)


def outcome_of(certain, p_holm, speaks_for, alpha):
    if certain:
        return certain
    if p_holm is not None and p_holm <= alpha:
        return "supported" if speaks_for else "refuted"
    return "inconclusive"


def compare_effects(ledger, where, test, mine, theirs):
    ledger.same("verdicts: effects' names", where, [of.name for of in mine], [of["name"] for of in theirs])
    for one, other in zip(mine, theirs):
        ledger.compare(f"verdicts: {test}, {one.name}", where, one.estimate, other["estimate"])
        ledger.compare(f"verdicts: {test}, {one.name}, se", where, one.se, other["standard_error"])
        ledger.compare("verdicts: share by chance", where, one.by_chance, other.get("by_chance"))
        interval, limits = one.interval or [None, None], other["interval"] or NO_INTERVAL
        level = one.interval and (LEVEL_OF_EQUIVALENCE if test == "equivalence" else LEVEL)
        ledger.compare("verdicts: level", where, level, limits["level"])
        kind = f"verdicts: {test}, {one.name}, interval"
        ledger.compare(kind, where, interval, [limits["low"], limits["high"]], QUANTILES)


def compare_verdict(ledger, where, test, p, p_holm, outcome, tested, n_texts, n_prompts, detectable, theirs):
    ledger.compare(f"verdicts: {test}, p", where, p, theirs["p"])
    ledger.compare(f"verdicts: {test}, p after Holm", where, p_holm, theirs["p_holm"])
    ledger.same(f"verdicts: {test}, outcome", where, outcome, theirs["outcome"])
    ledger.compare(f"verdicts: {test}, counts", where, [n_prompts, n_texts], [theirs["n_prompts"], theirs["n_texts"]])
    ledger.compare(f"verdicts: {test}, detectable", where, detectable, theirs["detectable"], HALVED)
    compare_effects(ledger, where, test, tested.effects if tested else [], theirs["effects"])


def check_verdicts(folder, ledger):
    file = json.loads((folder.path / "verdicts.json").read_text())
    ledger.compare("verdicts: rules", folder.path, RULES, file["rules"])
    hypotheses = [Hypothesis(plan) for plan in folder.plan["hypotheses"]]
    ledger.same("verdicts: hypotheses", folder.path, [h.id for h in hypotheses], [v["id"] for v in file["verdicts"]])
    alpha = folder.plan["settings"]["alpha"]
    evidence, obstacles = {}, {}
    for hypothesis, theirs in zip(hypotheses, file["verdicts"]):
        try:
            if folder.plan.get("sequential"):
                raise CannotTell("prompts were looked at one by one")
            evidence[hypothesis.id] = Evidence(gather(hypothesis, folder))
        except NotTested as why:
            obstacles[hypothesis.id] = str(why)
            evidence[hypothesis.id] = Evidence([("", None)])
        except CannotTell as why:
            ledger.leave_out("verdicts: a hypothesis", f"{folder.path} {hypothesis.id}", why)
            # Holm's procedure needs its p all the same.
            evidence[hypothesis.id] = Evidence([])
            evidence[hypothesis.id].p = theirs["p"]
            obstacles[hypothesis.id] = None
    adjusted = holm([evidence[hypothesis.id].p for hypothesis in hypotheses])
    n_tested = sum(p is not None for p in adjusted)
    for hypothesis, theirs, p_holm in zip(hypotheses, file["verdicts"], adjusted):
        of, where, test = evidence[hypothesis.id], f"{folder.path} {hypothesis.id}", hypothesis.test
        asked = [test, hypothesis.metric, hypothesis.part, hypothesis.first, alpha]
        theirs_asked = [theirs[what] for what in ("test", "metric")] + [theirs.get("part", "whole"), theirs["first"]]
        ledger.same("verdicts: what is asked", where, asked, [*theirs_asked, theirs["alpha"]])
        if not of.parts:
            continue
        outcome = outcome_of(of.certain, p_holm, of.p_for <= of.p_against, alpha)
        tested, is_open = of.weakest(), outcome == "inconclusive"
        detectable = tested.detectable(alpha / max(n_tested, 1)) if tested and is_open else None
        n_prompts = min((part.n_prompts for part in of.found), default=0)
        n_texts = sum(part.n_texts for part in of.found)
        compare_verdict(ledger, where, test, of.p, p_holm, outcome, tested, n_texts, n_prompts, detectable, theirs)
        parts = of.parts if hypothesis.each and hypothesis.id not in obstacles else []
        levels = [part["level"] for part in theirs["parts"]]
        ledger.same("verdicts: levels", where, [level for level, _ in parts], levels)
        of_part = lambda tested: min(tested.p_for, tested.p_against) if tested and not tested.certain else None
        p_parts = [of_part(tested) for _, tested in parts]
        for (level, tested), p, p_holm, part in zip(parts, p_parts, holm(p_parts), theirs["parts"]):
            speaks_for = tested is not None and tested.p_for <= tested.p_against
            outcome = outcome_of(tested and tested.certain, p_holm, speaks_for, alpha)
            detectable = tested.detectable(alpha / len(parts)) if tested and outcome == "inconclusive" else None
            n = (tested.n_texts, tested.n_prompts) if tested else (0, 0)
            compare_verdict(ledger, f"{where} {level}", test, p, p_holm, outcome, tested, *n, detectable, part)
    check_attribution(folder, ledger, file["attribution"])


# ---------------------------------------------------------------- how the variation divides


class Division:
    """Sums of squares of a crossed design over prompts: docs/statistics.md, How the variation divides."""

    def __init__(self, cells, levels):
        self.levels, self.n = levels, len(cells)
        # Relative to one value, so that squares lose no digits.
        self.cells = cells.reshape(self.n, *levels) - cells.ravel()[0]
        factors = range(len(levels))
        self.sources = [(factor,) for factor in factors] + list(combinations(factors, 2))

    def effects(self, cells, source):
        """Of a source at each of its levels, freed of what is not its own; `cells` has leading axes of its own."""
        lead = cells.ndim - len(self.levels)
        over = lambda kept: tuple(lead + factor for factor in range(len(self.levels)) if factor not in kept)
        means = cells.mean(axis=over(source), keepdims=True)
        grand = cells.mean(axis=over(()), keepdims=True)
        if len(source) == 1:
            return means - grand
        return means - sum(cells.mean(axis=over((factor,)), keepdims=True) for factor in source) + grand

    def squares(self, cells):
        """The sum of squares of each source over one value a cell; the last axis is of sources."""
        axes = tuple(range(cells.ndim - len(self.levels), cells.ndim))
        of = lambda source: np.broadcast_to(self.effects(cells, source), cells.shape)
        return np.stack([np.sum(of(source) ** 2, axis=axes) for source in self.sources], -1)

    def parts(self, cells):
        """The sums of squares of sources, of prompts, and in all."""
        axes = tuple(range(1, cells.ndim))
        n_cells, grand = math.prod(self.levels), cells.mean()
        of_prompts = n_cells * np.sum((cells.mean(axis=axes) - grand) ** 2)
        return len(cells) * self.squares(cells.mean(axis=0)), of_prompts, np.sum((cells - grand) ** 2)

    def shares(self, cells):
        """η² of sources, prompts, the rest; then each factor's with all its pairs."""
        of_sources, of_prompts, total = self.parts(cells)
        rest = max(total - of_sources.sum() - of_prompts, 0.0)
        shares = np.array([*of_sources, of_prompts, rest]) / total if total > 0 else np.zeros(len(of_sources) + 2)
        return np.concatenate([shares, self.totals(shares)])

    def totals(self, of_sources):
        has = lambda factor: [of for source, of in zip(self.sources, of_sources) if factor in source]
        return np.array([sum(has(factor)) for factor in range(len(self.levels))])

    def chance_shares(self):
        """What a source has within prompts beyond its common part, over prompts − 1 (its expected mean square; Winer
        1971, ch. 4)."""
        of_sources, _, total = self.parts(self.cells)
        return np.maximum(self.squares(self.cells).sum(0) - of_sources, 0) / (self.n - 1) / total

    def p(self, source):
        """The signs of prompts' own effects turned; of prompts that have any."""
        noise = 1e-12 * np.abs(self.cells).max()
        effects = self.effects(self.cells, source).reshape(self.n, -1)
        effects = effects[np.abs(effects).max(1) > noise]
        return p_of_turning(len(effects), lambda signs: ((signs @ effects) ** 2).sum(1))

    def intervals(self):
        """Of the root of a share, Student's t with the jackknife's error over prompts (Efron and Tibshirani 1993,
        § 11.5), at least that of one of chance's own squares; none of prompts and the rest, nor for fewer than six
        prompts. A part's limits do not lie beyond its whole's."""
        estimates = self.shares(self.cells)
        n_sources = len(self.sources)
        if self.n < LEAST_PROMPTS:
            return [None] * len(estimates)
        without = np.array([self.shares(np.delete(self.cells, prompt, 0)) for prompt in range(self.n)])
        errors = np.sum((without - without.mean(0)) ** 2, 0) * (self.n - 1) / self.n
        chance = self.chance_shares()
        degrees = np.array([math.prod(self.levels[factor] - 1 for factor in source) for source in self.sources])
        least = np.concatenate([chance / degrees, [0, 0], self.totals(chance) / self.totals(degrees)])
        t = t_quantile((1 + LEVEL) / 2, self.n - 1)
        intervals = []
        for estimate, squared, of_chance in zip(estimates, errors, least):
            seen = squared / (4 * estimate) if estimate > 0 else 0.0
            reach, root = t * math.sqrt(max(seen, of_chance)), math.sqrt(estimate)
            intervals.append([min(max(root + side * reach, 0.0), 1.0) ** 2 for side in (-1, 1)])
        intervals[n_sources] = intervals[n_sources + 1] = None
        for factor in range(len(self.levels)):
            whole = intervals[n_sources + 2 + factor]
            for source, part in zip(self.sources, intervals):
                if factor in source:
                    part[0], whole[1] = min(part[0], whole[0]), max(whole[1], part[1])
        return intervals


def check_attribution(folder, ledger, theirs):
    factors = [factor for factor in FACTORS if len({trial.level[factor] for trial in folder.trials}) > 1]
    levels = [sorted({trial.level[factor] for trial in folder.trials}) for factor in factors]
    metric = folder.plan["settings"]["metric"]
    places = list(product(*levels))
    values = defaultdict(lambda: defaultdict(list))
    for trial in folder.trials:
        if trial.whole is not None and trial.whole[metric] is not None:
            values[trial.prompt][tuple(trial.level[factor] for factor in factors)].append(trial.whole[metric])
    complete = [of for _, of in sorted(values.items()) if len(of) == len(places)]
    cells = np.array([[sum(of[place]) / len(of[place]) for place in places] for of in complete])
    is_whole = {place for of in values.values() for place in of} == set(places)
    exists = len(factors) > 1 and is_whole and len(complete) > 1 and not np.all(cells == cells.ravel()[0])
    ledger.same("attribution: whether there is one", folder.path, exists, theirs is not None)
    if not exists or theirs is None:
        return
    division = Division(cells, [len(of) for of in levels])
    counts = [len(complete), len(values) - len(complete), len(places)]
    their_counts = [theirs[what] for what in ("n_prompts", "n_incomplete_prompts", "n_cells")]
    ledger.compare("attribution: counts", folder.path, counts, their_counts)
    names = [" × ".join(factors[factor] for factor in source) for source in division.sources] + ["prompts", "rest"]
    ledger.same("attribution: sources", folder.path, names, [source["name"] for source in theirs["sources"]])
    p = [division.p(source) for source in division.sources]
    shares, intervals = division.shares(division.cells), division.intervals()
    against = [(chance, p, adjusted) for chance, p, adjusted in zip(division.chance_shares(), p, holm(p))]
    against += [(None, None, None)] * 2

    def compare_portion(where, place, portion):
        ledger.compare("attribution: share", where, shares[place], portion["estimate"])
        limits = portion["interval"] or NO_INTERVAL
        interval = intervals[place] or [None, None]
        ledger.compare("attribution: level", where, intervals[place] and LEVEL, limits["level"])
        ledger.compare("attribution: interval", where, interval, [limits["low"], limits["high"]], QUANTILES)

    for place, (source, of) in enumerate(zip(theirs["sources"], against)):
        where = f"{folder.path} {source['name']}"
        compare_portion(where, place, source["share"])
        ledger.compare("attribution: share by chance", where, of[0], source["chance_share"])
        ledger.compare("attribution: p", where, of[1], source["p"])
        ledger.compare("attribution: p after Holm", where, of[2], source["p_holm"])
    ledger.same("attribution: factors", folder.path, factors, [factor["factor"] for factor in theirs["factors"]])
    for place, factor in enumerate(theirs["factors"]):
        where = f"{folder.path} {factor['factor']}"
        compare_portion(where, len(names) + place, factor["total"])
        compare_portion(where, place, factor["alone"])
        ledger.compare("attribution: levels", where, len(levels[place]), factor["n_levels"])


# ---------------------------------------------------------------- recommend


def standing_of(p_loop, score, limits, ends, is_blind):
    """Over where one interval lies over its limit, under where both lie under."""
    measured = [(p_loop, limits["p_loop"], 1.0), (score, limits["score"], ends)]
    if any(interval and interval[0] > limit for interval, limit, _ in measured):
        return "over"
    is_under = lambda interval, limit, end: (end is not None and limit >= end) or (interval and interval[1] <= limit)
    return "under" if all(is_under(*of) for of in measured) and not is_blind else "open"


def fewest_prompts(limits, tail):
    """That can be under both limits, none of their texts repeating itself (Clopper and Pearson)."""
    best, worst = ENDS.get(limits["metric"], (None, None))
    score = 1.0 if None in (best, worst) else (limits["score"] - best) / (worst - best)

    def least(share):
        if share >= 1:
            return 1.0
        return math.ceil(math.log(tail) / math.log1p(-share)) if share > 0 else math.inf

    most = max(least(limits["p_loop"]), least(score))
    return most if math.isfinite(most) else None


def advice_of(temperatures, limits):
    """Of an arm by itself: the kind of advice, and the range."""
    if all(at["alone"] == "under" for at in temperatures):
        return "no_limit", temperatures[0]["temperature"], temperatures[-1]["temperature"]
    below = [place for place, at in enumerate(temperatures) if at["standing"] == "under"]
    if below:
        first = below[-1]
        while first > 0 and temperatures[first - 1]["standing"] == "under":
            first -= 1
        return "range", temperatures[first]["temperature"], temperatures[below[-1]]["temperature"]
    if all(at["alone"] == "over" for at in temperatures):
        return "everywhere", None, None
    undecided = [at for at in temperatures if at["alone"] != "over" and at["standing"] != "over"]
    if any(at["blind"] for at in undecided):
        return "blind", None, None
    n_prompts = max((at["n_prompts"] for at in undecided), default=0)
    tail = ALPHA / 2 if len(undecided) == len(temperatures) else min(ALPHA / len(temperatures), ALPHA / 2)
    least = fewest_prompts(limits, tail)
    return ("too_few_prompts" if least is not None and least > n_prompts else "nowhere"), None, None


def check_recommend(folder, ledger, file):
    theirs = json.loads(Path(file).read_text())
    limits = theirs["limits"]
    metric = limits["metric"]
    arms = {}
    for cell, trials in folder.cells().items():
        arms.setdefault(cell[:-1], []).append(trials)

    def levels_of(arm):
        return [level_of(factor, arm.get(factor, True)) for factor in FACTORS[:-1]]

    mine = [levels_of(dict(zip(FACTORS, arm))) for arm in arms]
    ledger.same("recommend: arms", folder.path, mine, [levels_of(arm) for arm in theirs["recommendations"]])
    found = {}
    for arm, cells in arms.items():
        upper, lower = min(ALPHA / len(cells), ALPHA / 2), ALPHA / (2 * len(cells))
        temperatures = []
        for trials in cells:
            prompts = by_prompt(trials, in_order_of_ids=True)

            def interval(metric, lower, upper):
                known = [[trial.whole for trial in texts if trial.whole[metric] is not None] for texts in prompts]
                values = [[(scores[metric], scores.loops()) for scores in texts] for texts in known]
                of = [interval_of_mean(metric, values, 1 - 2 * tail) for tail in (lower, upper)]
                return None if None in of else [of[0][0], of[1][1]]

            scored = [trial.whole for trial in trials if trial.whole is not None]
            too_blind = lambda metric: sum(not of.sees(metric) for of in scored) > BLIND_SHARE * len(scored)
            at = {"temperature": trials[0].level["temperature"], "n_prompts": len(prompts)}
            at["blind"] = too_blind(metric) or too_blind("loop")
            for name, tails in (("", (ALPHA / 2, ALPHA / 2)), ("_of_all", (lower, upper))):
                at["p_loop" + name], at["score" + name] = interval("loop", *tails), interval(metric, *tails)
            end = ENDS.get(metric, (None, None))[1]
            standing = lambda name: standing_of(at["p_loop" + name], at["score" + name], limits, end, at["blind"])
            at["alone"], at["standing"] = standing(""), standing("_of_all")
            temperatures.append(at)
        found[arm] = sorted(temperatures, key=lambda at: at["temperature"])
    alone = {arm: advice_of(temperatures, limits) for arm, temperatures in found.items()}
    for arm, of_arm in zip(arms, theirs["recommendations"]):
        where = " ".join(arm)
        over = [at["temperature"] for at in found[arm] if at["standing"] == "over"]

        def is_clean(other):
            all_are = alone[other][0] == "no_limit"
            under = {at["temperature"] for at in found[other] if all_are or at["standing"] == "under"}
            return other[0] == arm[0] and other[2:] == arm[2:] and other[1] != arm[1] and set(over) <= under

        chains = [other[1] for other in arms if is_clean(other)] if over else []
        kind, first, last = alone[arm]
        if chains:
            kind = "range_or_other_chain" if kind == "range" else "other_chain"
        advice = of_arm["advice"]
        mine = {"is": kind, "chains": chains or None}
        ledger.same("recommend: advice", where, mine, {what: advice.get(what) for what in mine})
        if "from" in advice or kind in ("no_limit", "range", "range_or_other_chain"):
            of_range = [float(np.float32(advice.get(what, -1))) for what in ("from", "to")]
            ledger.compare("recommend: range", where, [first, last], of_range)
        for at, other in zip(found[arm], of_arm["temperatures"], strict=True):
            place = f"{where} {at['temperature']}"
            ledger.compare("recommend: prompts", place, at["n_prompts"], other["n_prompts"])
            for what in ("standing", "alone"):
                ledger.same(f"recommend: {what}", place, at[what], other[what])
            for what in ("p_loop", "score", "p_loop_of_all", "score_of_all"):
                there = [(other[what] or NO_INTERVAL)[end] for end in ("low", "high")]
                ledger.compare(f"recommend: {what}", place, at[what] or [None, None], there, QUANTILES)


# ---------------------------------------------------------------- check


def baseline_of(folder):
    """What `moe-sweep baseline save` keeps of a run's cells: by prompt, means and numbers of texts by metric, and a
    hash of what was written."""
    from blake3 import blake3

    cells = {}
    for cell, trials in folder.cells().items():
        hashes, values = {}, defaultdict(lambda: defaultdict(list))
        for trial in trials:
            if trial.whole is None:
                continue
            record = folder.records[trial.id]
            written = [trial.seed, record.get("thought"), record["text"], record["stop"]]
            text = json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()
            hashes.setdefault(trial.prompt, blake3()).update(text)
            for metric, value in trial.whole.values.items():
                if value is not None:
                    values[metric][trial.prompt].append(value)
        means = lambda prompts: {prompt: (mean(of), len(of)) for prompt, of in prompts.items()}
        scores = {metric: means(prompts) for metric, prompts in values.items()}
        cells[cell] = {"scores": scores, "texts": {prompt: of.hexdigest()[:16] for prompt, of in hashes.items()}}
    return cells


def kinds_in_cell(cell, metric, prompt):
    """By the mean of loops; a baseline that does not keep these tells by the metric."""
    of = lambda metric: cell["scores"].get(metric, {}).get(prompt, [None])[0]
    loops, score = of("loop"), of(metric)
    has_loop = (loops is not None and loops > 0) or (score is not None and score >= 0.5)
    known = score if loops is None else loops
    return Kinds(has_loop, known is not None and known < 1)


def gate_units(folder, baseline, metric, by):
    """Arms or cells in the baseline's order: prompts' differences, whether the texts are the same, whether the run
    is blind or loops more."""
    name = lambda cell: (
        f"{cell[0]} · {cell[1]} · offload {cell[2]} · {cell[3]} · {cell[4]}"
        + ("" if cell[5] == "true" else f" · op_offload {cell[5]}")
        + (f" · T {cell[6]}" if by == "cell" else "")
    )
    run = baseline_of(folder)
    by_level = {tuple(level_of(factor, value) for factor, value in zip(FACTORS, cell)): cell for cell in run}
    units = {}
    for before in baseline["cells"]:
        value = lambda factor: before.get(factor, True) if factor == "op_offload" else before[factor]
        cell = by_level[tuple(level_of(factor, value(factor)) for factor in FACTORS)]
        after = run[cell]
        unit = units.setdefault(name(cell), {"prompts": {}, "same": True, "loops": [0, 0], "loops before": [0, 0]})
        unit["same"] &= bool(before.get("texts")) and before["texts"] == after["texts"]
        for prompt, (old, _) in sorted(before["scores"][metric].items()):
            if prompt in after["scores"].get(metric, {}):
                none = Kinds(False, False)
                of = unit["prompts"].setdefault(prompt, [[], none, none])
                of[0].append(after["scores"][metric][prompt][0] - old)
                of[1] = and_kinds(of[1], kinds_in_cell(before, metric, prompt))
                of[2] = and_kinds(of[2], kinds_in_cell(after, metric, prompt))
        for what, of in (("loops", after), ("loops before", before)):
            for share, n in of["scores"].get("loop", {}).values():
                unit[what][0] += share * n
                unit[what][1] += n
    for of_name, unit in units.items():
        scored = [trial.whole for trial in folder.trials if name(trial.cell) == of_name and trial.whole is not None]
        unit["blind"] = sum(not scores.sees(metric) for scores in scored) > BLIND_SHARE * len(scored)
        share = lambda of: of[0] / of[1] if of[1] else 0.0
        unit["loops more"] = share(unit["loops"]) - share(unit["loops before"]) > BLIND_SHARE
        prompts = sorted(unit["prompts"].items())
        unit["prompts"] = [Difference(rounded(mean(of)), before, after) for _, (of, before, after) in prompts]
    return units


def check_gate(folder, ledger, verdict, baseline):
    theirs, baseline = (json.loads(Path(file).read_text()) for file in (verdict, baseline))
    metric, margin, alpha = theirs["metric"], theirs["margin"], theirs["alpha"]
    kinds_of_unit = list(dict.fromkeys(verdict["by"] for verdict in theirs["verdicts"]))
    units = [(by, name, of) for by in kinds_of_unit for name, of in gate_units(folder, baseline, metric, by).items()]
    named = [[by, name] for by, name, _ in units]
    ledger.same("gate: units", folder.path, named, [[of["by"], of["unit"]] for of in theirs["verdicts"]])
    tests = []
    for _, _, unit in units:
        try:
            tests.append(equivalence(unit["prompts"], margin, True))
        except TooLittle:
            tests.append(None)
    p_fail = holm([found.above if found else 1.0 for found in tests])
    outcomes = []
    for (by, name, unit), found, p, there in zip(units, tests, p_fail, theirs["verdicts"]):
        numbers = [p, found.not_above, found.estimate, *found.interval] if found else [None] * 5
        if unit["same"] and unit["prompts"]:
            outcome, numbers = "pass", [None] * 5
        elif found is None:
            outcome = "inconclusive"
        else:
            outcome = "fail" if p <= alpha else "pass" if found.not_above <= alpha else "inconclusive"
        if outcome != "fail" and (unit["blind"] or unit["loops more"]):
            outcome = "inconclusive"
        outcomes.append((by, outcome))
        where = f"{folder.path} {name}"
        ledger.same("gate: outcome of a unit", where, outcome, there["outcome"])
        ledger.compare("gate: prompts", where, len(unit["prompts"]), there["n_prompts"])
        ledger.compare("gate: p", where, numbers[:2], [there["p_fail"], there["p_pass"]])
        worse = there["worse_by"] or {"estimate": None, "interval": NO_INTERVAL}
        level = None if numbers[2] is None else LEVEL_OF_EQUIVALENCE
        ledger.compare("gate: level", where, level, worse["interval"]["level"])
        ledger.compare("gate: worse by", where, numbers[2], worse["estimate"])
        limits = [worse["interval"]["low"], worse["interval"]["high"]]
        ledger.compare("gate: interval", where, numbers[3:], limits, QUANTILES)
    deciding = [outcome for by, outcome in outcomes if by == ("arm" if "arm" in kinds_of_unit else "cell")]
    worst = max(deciding, key=["pass", "inconclusive", "fail"].index, default="inconclusive")
    whole = "fail" if any(outcome == "fail" for _, outcome in outcomes) else worst
    ledger.same("gate: outcome", folder.path, whole, theirs["outcome"])


# ---------------------------------------------------------------- the command


def main(arguments):
    folders, gate, recommend = [], None, None
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument == "--check" and len(arguments) >= 2:
            gate = arguments.pop(0), arguments.pop(0)
        elif argument == "--recommend" and arguments:
            recommend = arguments.pop(0)
        elif argument.startswith("-"):
            sys.exit(__doc__)
        else:
            folders.append(argument)
    if not folders:
        sys.exit(__doc__)
    ledger = Ledger()
    for place, path in enumerate(folders):
        folder = Folder(path)
        check_cells(folder, ledger)
        check_onsets(folder, ledger)
        check_verdicts(folder, ledger)
        if gate and place == 0:
            check_gate(folder, ledger, *gate)
        if recommend and place == 0:
            check_recommend(folder, ledger, recommend)
    ledger.table()
    sys.exit(0 if ledger.is_good() else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
