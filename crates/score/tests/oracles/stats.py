#!/usr/bin/env python3
"""Writes stats.json beside this file: what SciPy and statsmodels say.

    pip install numpy scipy statsmodels && python crates/score/tests/oracles/stats.py

What neither library has is computed here from its definition, slowly and
plainly; the comment at each says where the definition stands.
"""

import itertools
import json
import platform
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import integrate, optimize, stats
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_paired

rng = np.random.default_rng(20261123)


def numbers(values):
    return np.asarray(values, dtype=float).tolist()


def page(data):
    """L and one-sided asymptotic p by SciPy; two-sided permutation p, exact
    where SciPy's ranks have no ties; rho averaged over the rows."""
    result = stats.page_trend_test(data, method="asymptotic")
    exact = stats.page_trend_test(data, method="exact").pvalue
    levels = np.arange(1, data.shape[1] + 1)
    rho = [0.0 if np.ptp(row) == 0 else stats.spearmanr(levels, row).statistic for row in data]
    return {"data": [numbers(row) for row in data], "l": result.statistic, "p_up_normal": result.pvalue,
            "p_up_exact": exact, "mean_rho": float(np.mean(rho))}


def sign_flip(differences):
    """Two-sided p over all sign patterns of the mean."""
    result = stats.permutation_test((differences, np.zeros_like(differences)),
                                    lambda a, b, axis: np.mean(a - b, axis=axis),
                                    permutation_type="samples", n_resamples=np.inf, vectorized=True)
    return float(result.pvalue)


def paired():
    cases = []
    for n, shift in [(6, 0.0), (9, 0.4), (12, 0.2), (14, 0.8)]:
        a = np.round(rng.normal(size=n), 3)
        b = np.round(a + shift + rng.normal(scale=0.5, size=n), 3)
        d = b - a
        cases.append({"a": numbers(a), "b": numbers(b), "sign_flip_p": sign_flip(d)})
    return cases


def equivalence():
    cases = []
    for n, shift, margin in [(8, 0.0, 0.3), (24, 0.05, 0.2), (40, 0.1, 0.15)]:
        a = np.round(rng.normal(size=n), 3)
        b = np.round(a + shift + rng.normal(scale=0.3, size=n), 3)
        p, low, high = ttost_paired(b, a, -margin, margin)
        interval = stats.ttest_rel(b, a).confidence_interval(0.90)
        cases.append({"differences": numbers(b - a), "margin": margin, "p": float(p), "t_low": float(low[0]),
                      "t_high": float(high[0]), "interval": [float(interval.low), float(interval.high)]})
    return cases


def interaction():
    """Interaction sums of squares over prompts and p over all sign flips of the
    prompts' residuals, from the definition in src/stats/interaction.rs."""
    cases = []
    for n, a, b in [(7, 2, 2), (6, 3, 2), (8, 3, 4)]:
        y = rng.normal(size=(n, a, b)) + rng.normal(size=(n, 1, 1))
        y[:, 1, 1] += 0.7
        y = np.round(y, 3)
        e = y - y.mean(axis=2, keepdims=True) - y.mean(axis=1, keepdims=True) + y.mean(axis=(1, 2), keepdims=True)

        def ss(signs):
            return n * np.sum((np.asarray(signs)[:, None, None] * e).mean(axis=0) ** 2)

        own = ss([1] * n)
        flips = [ss(signs) for signs in itertools.product([1, -1], repeat=n)]
        total = np.sum(e**2)
        cases.append({"data": y.tolist(), "p": float(np.mean(np.asarray(flips) >= own * (1 - 1e-12))),
                      "share": float(own / total),
                      "difference": float(np.mean(y[:, 1, 1] - y[:, 1, 0] - y[:, 0, 1] + y[:, 0, 0])) if a == b == 2 else None})
    return cases


def holm():
    lists = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.6, 0.1, 0.001], [0.02], [0.2, 0.2, 0.9, 1.0, 0.0]]
    lists.append(numbers(np.round(rng.uniform(size=9) ** 3, 5)))
    return [{"p": p, "adjusted": numbers(multipletests(p, method="holm")[1])} for p in lists]


def power():
    """dz by integrating the definition of the noncentral t, T = (Z + delta) / s:
    SciPy's own is not a number far out, and statsmodels' solver gives up there.
    Checked against statsmodels' power function where that works."""

    def reached(dz, n, alpha):
        critical, delta, degrees = stats.t.isf(alpha / 2, n - 1), dz * np.sqrt(n), n - 1

        def density(s):
            beyond = stats.norm.sf(critical * s - delta) + stats.norm.cdf(-critical * s - delta)
            return beyond * stats.chi2.pdf(degrees * s * s, degrees) * 2 * degrees * s

        return integrate.quad(density, 0, 1, epsabs=1e-10)[0] + integrate.quad(density, 1, 6, epsabs=1e-10)[0]

    cases = []
    for n, power, alpha in itertools.product([3, 6, 12, 24, 48, 200], [0.8, 0.9], [0.05, 0.01]):
        dz = optimize.brentq(lambda dz: reached(dz, n, alpha) - power, 0.01, 30, xtol=1e-9)
        if n >= 12:
            assert abs(TTestPower().power(dz, n, alpha, alternative="two-sided") - power) < 1e-6
        cases.append({"n": n, "power": power, "alpha": alpha, "dz": dz})
    return cases


def prompts_by_t():
    """The least n of a paired t-test with power .8, at alpha and at alpha / 5 and / 7."""
    cases = []
    for dz, alpha in itertools.product([0.2, 0.3, 0.5, 0.8, 1.0], [0.05, 0.05 / 5, 0.05 / 7]):
        n = TTestPower().solve_power(effect_size=dz, alpha=alpha, power=0.8)
        cases.append({"dz": dz, "alpha": alpha, "n": int(np.ceil(n - 1e-9))})
    return cases


def turned_power():
    """The power of turning the signs of n normal differences in every way, two-sided:
    p of 20 000 simulated samples, each from its definition. Standard error at most 0.0035."""
    own = np.random.default_rng(20261128)
    cases = []
    for n, alpha, dz in [(6, 0.05, 1.4), (8, 0.05, 1.1), (8, 0.05 / 5, 2.0), (10, 0.05 / 7, 1.5), (12, 0.05, 0.9)]:
        signs = np.array(list(itertools.product([1, -1], repeat=n - 1)))
        signs = np.hstack([np.ones((len(signs), 1)), signs])
        found = 0
        for _ in range(20):
            d = own.normal(size=(1000, n)) + dz
            own_sum = np.abs(d.sum(axis=1, keepdims=True))
            p = np.mean(np.abs(d @ signs.T) >= own_sum * (1 - 1e-10), axis=1)
            found += int(np.sum((p <= alpha) & (d.sum(axis=1) > 0)))
        cases.append({"n": n, "alpha": alpha, "dz": dz, "power": found / 20000})
    return cases


def least_margin():
    """The margin, in standard deviations, that two one-sided t-tests decide with power .8 where
    there is no difference: E over s of 2 Phi(sqrt(n) margin - t s) - 1 (Phillips 1990)."""

    def reached(margin, n, alpha, sides):
        critical, delta, degrees = stats.t.isf(alpha, n - 1), margin * np.sqrt(n), n - 1

        def density(s):
            inside = stats.norm.cdf(delta - critical * s) - (stats.norm.sf(delta - critical * s) if sides == 2 else 0)
            return max(inside, 0) * stats.chi2.pdf(degrees * s * s, degrees) * 2 * degrees * s

        # Beyond its kink the integrand is 0.
        ends = [0, 0.5, 1, 2, 6] if sides == 1 else sorted({min(x, delta / critical) for x in (0, 0.5, 1, 2, 6)})
        return sum(integrate.quad(density, low, high, epsabs=1e-11)[0] for low, high in itertools.pairwise(ends))

    cases = []
    for n, alpha, sides in itertools.product([6, 12, 24, 60, 200], [0.05, 0.01], [2, 1]):
        margin = optimize.brentq(lambda margin: reached(margin, n, alpha, sides) - 0.8, 0.01, 20, xtol=1e-9)
        cases.append({"n": n, "alpha": alpha, "sides": sides, "margin": margin})
    return cases


def variance():
    """Shares of a balanced three-factor design: sums of squares of the fitted
    effects, from dummy-free projections (marginal means)."""
    n, sizes = 5, (2, 3, 2)
    y = np.round(rng.normal(size=(n, *sizes)) + rng.normal(size=(n, 1, 1, 1)) * 0.5, 3)
    y[:, 1] += 1.0
    y[:, 0, 2] += 0.5
    y = np.round(y, 3)
    total = np.sum((y - y.mean()) ** 2)

    def marginal(axes):
        rest = tuple(axis for axis in range(4) if axis not in axes)
        return np.broadcast_to(y.mean(axis=rest, keepdims=True), y.shape)

    def main(axis):
        return np.sum((marginal([axis]) - y.mean()) ** 2)

    def pair(first, second):
        return np.sum((marginal([first, second]) - marginal([first]) - marginal([second]) + y.mean()) ** 2)

    return {"data": y.tolist(), "prompts": main(0) / total, "mains": [main(axis) / total for axis in (1, 2, 3)],
            "pairs": [pair(1, 2) / total, pair(1, 3) / total, pair(2, 3) / total]}


def kaplan_meier():
    cases = []
    for n in [5, 30]:
        times = np.round(rng.exponential(40, size=n)).astype(int) + 1
        seen = rng.uniform(size=n) < 0.6
        curve = SurvfuncRight(times, seen)
        cases.append({"times": times.tolist(), "seen": seen.tolist(), "at": curve.surv_times.tolist(),
                      "survival": numbers(curve.surv_prob), "standard_error": [None if np.isnan(se) else float(se) for se in curve.surv_prob_se]})
    return cases


def clopper_pearson():
    cases = [(0, 24), (1, 24), (3, 12), (24, 24), (7, 10)]
    return [{"hits": k, "n": n, "interval": numbers(proportion_confint(k, n, 0.05, method="beta"))} for k, n in cases]


def main():
    # The worked example of SciPy's documentation: L = 133.5, p = .00181911….
    example = np.array([[3, 4, 3], [2, 2, 4], [3, 3, 5], [1, 3, 2], [2, 3, 2],
                        [2, 4, 5], [1, 2, 4], [3, 4, 4], [2, 4, 5], [1, 3, 4]])
    pages = [page(example.astype(float)), page(np.round(rng.normal(size=(6, 4)), 3)),
             page(np.round(rng.normal(size=(5, 5)) + np.arange(5) * 0.6, 3))]
    versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                "statsmodels": statsmodels.__version__}
    oracle = {"versions": versions, "page": pages, "paired": paired(), "equivalence": equivalence(),
              "interaction": interaction(), "holm": holm(), "power": power(),
              "prompts_by_t": prompts_by_t(), "turned_power": turned_power(), "least_margin": least_margin(), "variance": variance(),
              "kaplan_meier": kaplan_meier(), "clopper_pearson": clopper_pearson()}
    text = ",\n".join(f"{json.dumps(key)}:{json.dumps(value, allow_nan=False, separators=(',', ':'))}" for key, value in oracle.items())
    Path(__file__).with_suffix(".json").write_text("{" + text + "}\n", encoding="ascii")


if __name__ == "__main__":
    main()
