/** @file Our side of `bench metrics`, in a process of its own: reads and evaluates one set, prints a JSON line. */
import {
  cityPersonsMissRates,
  CocoArea,
  crowdHumanApMr,
  crowdHumanJaccard,
  evaluateCoco,
  readCityPersonsFiles,
  readCocoFiles,
  readCrowdHumanFiles,
} from "../src/metrics/index.js";

const [metric, gt, dt] = process.argv.slice(2) as [string, string, string];

const evaluations: Readonly<Record<string, () => Promise<Record<string, number | null>>>> = {
  coco: async () => {
    const { table } = await readCocoFiles(gt, dt);
    const { precision, recall } = evaluateCoco(table, { maxDetections: 100 });
    return {
      AP: precision(),
      AP50: precision({ threshold: 0 }),
      AP75: precision({ threshold: 5 }),
      APs: precision({ area: CocoArea.small }),
      APm: precision({ area: CocoArea.medium }),
      APl: precision({ area: CocoArea.large }),
      AR1: recall({ maxDetections: 1 }),
      AR10: recall({ maxDetections: 10 }),
      AR100: recall(),
      ARs: recall({ area: CocoArea.small }),
      ARm: recall({ area: CocoArea.medium }),
      ARl: recall({ area: CocoArea.large }),
    };
  },
  crowdhuman: async () => {
    const { images, jaccardImages } = await readCrowdHumanFiles(gt, dt);
    const { ap, mr } = crowdHumanApMr(images);
    return { AP: ap, MR: mr, JI: crowdHumanJaccard(jaccardImages).ji };
  },
  citypersons: async () => {
    const { images } = await readCityPersonsFiles(gt, dt);
    return Object.fromEntries(cityPersonsMissRates(images).map(({ subset, mr }) => [subset.name, mr]));
  },
};

const cpuStart = process.cpuUsage();
const start = performance.now();
const numbers = await evaluations[metric]!();
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuStart);
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, peakMb: maxRSS / 1024, numbers }));
