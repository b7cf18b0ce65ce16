// The thread of statisticsWorker.ts: answers one question after the other.

import { parentPort } from 'node:worker_threads';
import { computeStatistics, type HourlyPercentiles } from './statistics.ts';

parentPort?.on('message', (hours: HourlyPercentiles) => parentPort?.postMessage(computeStatistics(hours)));
