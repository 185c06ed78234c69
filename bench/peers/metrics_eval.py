"""A peer of `npm run bench -- metrics`: one evaluation, files to numbers, printed as one JSON line.

python metrics_eval.py pycocotools|faster-coco-eval|crowdhuman|citypersons GT DT [CHECKOUT]

CHECKOUT is a folder with CrowdDet (for crowdhuman) or cvgroup-njust/CityPersons (for citypersons). The latter was written for
Python 2 and an old NumPy: what they had and newer ones have not is put back here, its code is left as it is.
"""
import builtins
import contextlib
import io
import json
import os
import resource
import sys
import time
import types

which, gt, dt = sys.argv[1:4]
checkout = sys.argv[4] if len(sys.argv) > 4 else None
NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]


def coco():
    if which == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    else:
        from faster_coco_eval import COCO, COCOeval_faster as COCOeval

    def run():
        truth = COCO(gt)
        evaluation = COCOeval(truth, truth.loadRes(dt), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return dict(zip(NAMES, map(float, evaluation.stats[:12])))

    return run


def crowdhuman():
    sys.path.insert(0, os.path.join(checkout, "lib"))
    from evaluate.compute_APMR import compute_APMR
    from evaluate import compute_JI

    compute_JI.nr_procs = os.cpu_count()

    def run():
        ap, mr = compute_APMR(dt, gt, "fbox")
        _, ji = compute_JI.evaluation_all(dt, "fbox")
        return {"AP": float(ap), "MR": float(mr), "JI": float(ji)}

    return run


def citypersons():
    import numpy as np

    builtins.unicode = str
    np.float = float
    linspace = np.linspace
    np.linspace = lambda start, stop, num, **more: linspace(start, stop, int(num), **more)
    for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches", "scipy", "scipy.io"):
        module = sys.modules.setdefault(name, types.ModuleType(name))
        module.PatchCollection = module.Polygon = object
    sys.path.insert(0, os.path.join(checkout, "evaluation", "eval_script"))
    from coco import COCO
    from eval_MR_multisetup import COCOeval

    def run():
        numbers = {}
        for setup, name in enumerate(["Reasonable", "small", "heavy", "All"]):
            truth = COCO(gt)
            evaluation = COCOeval(truth, truth.loadRes(dt), "bbox")
            evaluation.params.imgIds = sorted(truth.getImgIds())
            evaluation.evaluate(setup)
            evaluation.accumulate()
            with open(os.devnull, "w") as nowhere:
                evaluation.summarize(setup, nowhere)
            mrs = 1 - evaluation.eval["TP"]
            numbers[name] = float(np.exp(np.mean(np.log(mrs[mrs < 2]))))
        return numbers

    return run


def cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


run = {"crowdhuman": crowdhuman, "citypersons": citypersons}.get(which, coco)()
cpu_start = cpu_seconds()
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    numbers = run()
seconds = time.perf_counter() - start
print(json.dumps({
    "seconds": seconds,
    "cpu": cpu_seconds() - cpu_start,
    "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "numbers": numbers,
}))
