import type { AddRoute } from '../route.ts';
import { createAlertRule } from './createAlertRule.ts';
import { deleteAlertRule } from './deleteAlertRule.ts';
import { getAlertRule } from './getAlertRule.ts';
import { listAlertHistory } from './listAlertHistory.ts';
import { listAlertRules } from './listAlertRules.ts';
import { listAlerts } from './listAlerts.ts';
import { previewAlertRule } from './previewAlertRule.ts';
import { testAlertRule } from './testAlertRule.ts';
import { updateAlertRule } from './updateAlertRule.ts';

export const ALERT_ROUTES: readonly AddRoute[] = [
  listAlerts,
  listAlertHistory,
  listAlertRules,
  createAlertRule,
  previewAlertRule,
  getAlertRule,
  updateAlertRule,
  deleteAlertRule,
  testAlertRule,
];
