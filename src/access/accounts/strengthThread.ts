// The thread of passwordStrength.ts: loads the dictionaries, then answers one question after the other.

import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import * as common from '@zxcvbn-ts/language-common';
import * as english from '@zxcvbn-ts/language-en';

export interface Question {
  readonly password: string;
  /** What a guesser would try first. */
  readonly known: readonly string[];
}

export interface Judgement {
  /** 0 to 4. */
  readonly score: number;
  /** What would make it better, in sentences. */
  readonly advice: readonly string[];
}

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
  translations: english.translations,
});

parentPort?.on('message', ({ password, known }: Question) => {
  // Also their parts: "anna" and "example" of anna@example.com.
  const words = known.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)]).filter((word) => word.length > 2);
  const { score, feedback } = zxcvbn.check(password, words);
  const advice = [feedback.warning, ...feedback.suggestions].filter((text) => text !== null && text !== '');
  parentPort?.postMessage({ score, advice: advice as string[] } satisfies Judgement);
});
