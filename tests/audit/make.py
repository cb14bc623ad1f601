"""Writes results folders with texts of chosen scores, without a model: the scripted engine makes a run, its journal's texts
are replaced, `moe-sweep report` scores them. A text has 97 words, a token a word, so 95 trigrams; k of them repeat.
usage: make.py MOE_SWEEP CASE FOLDER [SEED]        cases: see the end"""
import sys, json, os, subprocess, random
W = 97
def text(k, loops):
    """k of 95 trigrams repeat; loops (k from 13 on) ends in at least 4 copies."""
    if loops:
        p = min(5, 95 - k) or 1; o = 95 - k - p; t = list(range(o)) + [o + i % p for i in range(W - o)]
    else: t = list(range(k + 2)) * 2 + list(range(1000, 1000 + W - 2 * (k + 2))) if k else list(range(W))
    return [100 + x for x in t[:W]]
def word(x):
    """Of letters: a loop is looked for with all digits alike."""
    return chr(97 + x // 676) + chr(97 + x // 26 % 26) + chr(97 + x % 26)
def make(exe, folder, toml, f, fail=lambda *a: False):
    os.makedirs(folder, exist_ok=True); [open(f'{folder}/m{i}.scripted.toml', 'w').write('# ' * i) for i in range(3)]; open(folder + '/x.toml', 'w').write(toml)
    run = lambda *a: subprocess.run([exe, *a], cwd=folder, capture_output=True, text=True)
    r = run('run', 'x.toml', '--out', 'r')
    if r.returncode: print(r.stdout[-2000:], r.stderr[-2000:])
    plan = json.load(open(folder + '/r/plan.json')); want = {}
    for t in plan['trials']: want.setdefault(t['id'], t)
    out = []
    for line in open(folder + '/r/trials.jsonl'):
        rec = json.loads(line); t = want[rec['id']]; a = (t['prompt'], {f: t[f] for f in ('model', 'chain', 'temperature')}, t.get('seed'))
        if fail(*a): rec['outcome'] = {'failed': {'reason': 'made to fail', 'attempts': 2}}
        else:
            k, loops = f(*a); g = rec['outcome']['generated']; g['tokens'] = text(k, loops) if k >= 0 else text(0, False)[:-k]; g['text'] = ' '.join(map(word, g['tokens']))
        out.append(json.dumps(rec, separators=(',', ':')))
    open(folder + '/r/trials.jsonl', 'w').write('\n'.join(out) + '\n')
    r = run('report', 'r', '--trust'); print(r.stdout[-6000:], r.stderr[-2000:], 'exit', r.returncode)
def toml(n, chains='"pure"', temps='[0.1, 0.9]', seeds=1, hyp='', models=1, extra='', analysis=''):
    ms = [f'm{i}' for i in range(models)]
    return f'''schema = 1
name = "x"
[generate]
max_tokens = {W}
context = 256
[grid]
model = {json.dumps(ms)}
chain = [{chains}]
temperature = {temps}
seed = {{ from = 0, count = {seeds} }}
{extra}
[prompts]
inline = [{", ".join(f'"prompt {i:02}"' for i in range(n))}]
{analysis}
''' + ''.join(f'[[model]]\nid = "{m}"\npath = "{m}.scripted.toml"\n' for m in ms) + hyp
C = lambda **k: k
def hot(cell): return float(cell['temperature']) > .5
def hyp(id, test, claim='', **k):
    return f'[[hypothesis]]\nid = "{id}"\n' + (f'claim = "{claim}"\n' if claim else '') + ''.join(f'{a} = {json.dumps(b)}\n' for a, b in k.items()) + test + '\n'
CON = 'contrast = { base = { temperature = 0.1 }, other = { temperature = 0.9 } }'
EQ = 'equivalence = { base = { temperature = 0.1 }, other = { temperature = 0.9 } }'
def main(exe, case, folder, seed=1):
    R = random.Random(seed); q = {}
    beta = lambda p, key: q.setdefault((p, key), R.betavariate(2 * p, 2 * (1 - p)))
    sc = lambda p: (R.randint(48, 90), True) if R.random() < p else (R.choice([0, 0, 0, 1, 2, 3]), False)
    if case == 'general':      # everything at once, for recompute.py
        h = hyp('up', 'trend = "temperature"', expect='increasing') + hyp('each', 'trend = "temperature"', expect='increasing', each='chain') + hyp('con', 'contrast = { base = { temperature = 0.1 }, other = { temperature = 1.3 } }', expect='increasing', each='model') \
          + hyp('eq', 'equivalence = { base = { temperature = 0.1 }, other = { temperature = 0.5 } }', margin=.05) + hyp('one', 'equivalence = { base = { chain = "greedy" }, other = { chain = "pure" } }', margin=.1, sides=1) + hyp('int', 'interaction = ["temperature", "chain"]') + hyp('loop', 'contrast = { base = { chain = "greedy" }, other = { chain = "llama.cpp" } }', expect='decreasing', metric='vllm_loop', sides=1)
        make(exe, folder, toml(int(seed) % 3 * 8 + 8, '"pure", "llama.cpp", "greedy"', '[0.1, 0.5, 0.9, 1.3]', 3, h, 2), lambda p, c, s: sc(min(.95, beta(.2, p) + (.3 * float(c['temperature']) if c['chain'] == 'pure' else 0))), lambda p, c, s: R.random() < (.03 if int(seed) % 2 else 0))
    if case == 'no-loop-seen': # 24 prompts, no text loops: the claim is REFUTED, the equivalence SUPPORTED, the gate passes
        make(exe, folder, toml(24, hyp=hyp('more', CON, 'Hot texts loop more often than cold ones.', metric='vllm_loop', expect='increasing') + hyp('as-often', EQ, 'Hot texts loop as often as cold ones, to within 0.01.', metric='vllm_loop', margin=.01)), lambda p, c, s: (R.choice([0, 1, 2, 3]), False))
    if case == 'four-prompts': # the least that this design would have seen, of a test that can't see anything
        make(exe, folder, toml(4, hyp=hyp('more', CON, 'Hot texts repeat more than cold ones.', expect='increasing')), lambda p, c, s: (R.randint(60, 90), True) if hot(c) else (R.randint(0, 20), False))
    num = lambda p: int(p[1:])
    if case == 'mean-falls':   # one prompt in eight loops when cold; the others repeat a little more with each level: ranks rise, the mean falls
        make(exe, folder, toml(24, temps='[0.1, 0.5, 0.9, 1.3]', hyp=hyp('up', 'trend = "temperature"', 'A higher temperature raises repetition.', expect='increasing')), lambda p, c, s: (85 - num(p) % 4, True) if float(c['temperature']) < .3 and num(p) % 8 == 0 else (int(float(c['temperature']) * 4) + R.choice([0, 1]), False))
    if case == 'excluded':     # the temperature does nothing; a chain that never loops is left out when hot
        make(exe, folder, toml(24, '"pure", "greedy", "llama.cpp"', '[0.1, 0.5, 0.9]', 2, hyp('up', 'trend = "temperature"', 'A higher temperature raises repetition.', expect='increasing') + hyp('con', CON, 'At 0.9 the texts repeat more than at 0.1.', expect='increasing'), extra='[[grid.exclude]]\nchain = "llama.cpp"\ntemperature = 0.9\n'), lambda p, c, s: (R.randint(0, 2), False) if c['chain'] == 'llama.cpp' else (R.randint(60, 70), True))
    if case == 'failed-hot':   # hot texts that loop fail (a timeout, a guard): the temperature seems to lower repetition
        made = {}
        def f(p, c, s): made[p, str(c), s] = made.get((p, str(c), s)) or sc(.6 if hot(c) else .3); return made[p, str(c), s]
        make(exe, folder, toml(24, seeds=4, hyp=hyp('less', CON, 'Hot texts repeat less than cold ones.', expect='decreasing') + hyp('t', 'trend = "temperature"', 'A higher temperature lowers repetition.', expect='decreasing')), f, lambda p, c, s: hot(c) and f(p, c, s)[1] and R.random() < .9)
    if case == 'both-matter':  # cold is clean under the chain that is "at fault"
        make(exe, folder, toml(48, '"pure", "llama.cpp"', '[0.1, 0.5, 0.9]', 2, hyp('up', 'trend = "temperature"', 'Under pure, a higher temperature raises repetition.', expect='increasing', where={}).replace('where = {}', 'where = { chain = "pure" }')), lambda p, c, s: sc(.9 if c['chain'] == 'pure' and hot(c) else .0))
    if case == 'null':         # no factor does anything
        make(exe, folder, toml(8, '"pure", "llama.cpp", "greedy"', '[0.1, 0.5, 0.9, 1.3]', 1, models=2), lambda p, c, s: sc(beta(.3, p)))
    if case in ('gate-base', 'gate-loop-unseen'): # --metric vllm_loop: 12 prompts; the run's P(loop) is 0.1 and by chance (28 %) none loops
        make(exe, folder, toml(12, temps='[0.9]'), lambda p, c, s: (R.choice([0, 1, 2]), False))
    if case in ('arm-base', 'arm-run'): # eight temperatures; at one of them every text of the run loops, a rise of 0.37 in an eighth
        make(exe, folder, toml(24, temps='[0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5]', seeds=1), lambda p, c, s: (R.randint(30, 40), True) if case == 'arm-run' and c['temperature'] == 0.9 else (R.choice([0, 1, 2]), False))
    if case in ('three-of-24', 'none-of-24'): # three prompts loop when hot, none when cold: p = .25, and an interval that excludes 0
        make(exe, folder, toml(24, hyp=hyp('more', CON, 'Hot texts repeat more than cold ones.', expect='increasing')), lambda p, c, s: ({'p5': 68, 'p11': 76, 'p17': 58}[p], True) if hot(c) and p in ('p5', 'p11', 'p17') and case == 'three-of-24' else (0, False))
    if case == 'rounding': # six texts a cell of k/95: equal means in another order of seeds are no ties
        ks = [(0, 1, 5), (1, 5, 0), (2, 2, 2), (3, 1, 2)]
        make(exe, folder, toml(24, temps='[0.1, 0.5, 0.9, 1.3]', seeds=3, hyp=hyp('up', 'trend = "temperature"', 'A higher temperature raises repetition.', expect='increasing')), lambda p, c, s: (ks[[.1, .5, .9, 1.3].index(float(c['temperature']))][s], False))
    if case == 'two-prompts': make(exe, folder, toml(2), lambda p, c, s: (40 + 3 * int(p[-1]), True) if hot(c) else (0, False))
if __name__ == '__main__': main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 1)
