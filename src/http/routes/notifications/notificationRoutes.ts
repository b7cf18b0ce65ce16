import type { AddRoute } from '../route.ts';
import { acknowledgeAlerts } from './acknowledgeAlerts.ts';
import { addInhibitionRule } from './addInhibitionRule.ts';
import { addMaintenanceWindow } from './addMaintenanceWindow.ts';
import { addNotificationChannel } from './addNotificationChannel.ts';
import { addNotificationPolicy } from './addNotificationPolicy.ts';
import { addSilence } from './addSilence.ts';
import { deleteInhibitionRule } from './deleteInhibitionRule.ts';
import { deleteMaintenanceWindow } from './deleteMaintenanceWindow.ts';
import { deleteNotificationChannel } from './deleteNotificationChannel.ts';
import { deleteNotificationPolicy } from './deleteNotificationPolicy.ts';
import { endSilence } from './endSilence.ts';
import { getNotificationChannel } from './getNotificationChannel.ts';
import { getNotificationStatus } from './getNotificationStatus.ts';
import { listActiveAlerts } from './listActiveAlerts.ts';
import { listInhibitionRules } from './listInhibitionRules.ts';
import { listMaintenanceWindows } from './listMaintenanceWindows.ts';
import { listNotificationChannels } from './listNotificationChannels.ts';
import { listNotificationPolicies } from './listNotificationPolicies.ts';
import { listNotifications } from './listNotifications.ts';
import { listSilences } from './listSilences.ts';
import { testNotificationChannel } from './testNotificationChannel.ts';
import { unacknowledgeAlerts } from './unacknowledgeAlerts.ts';
import { updateNotificationChannel } from './updateNotificationChannel.ts';
import { updateNotificationPolicy } from './updateNotificationPolicy.ts';

/** Who is told of alerts, in the order of the reference page. */
export const NOTIFICATION_ROUTES: readonly AddRoute[] = [
  getNotificationStatus,
  listActiveAlerts,
  acknowledgeAlerts,
  unacknowledgeAlerts,
  listNotifications,
  listNotificationChannels,
  addNotificationChannel,
  getNotificationChannel,
  updateNotificationChannel,
  deleteNotificationChannel,
  testNotificationChannel,
  listNotificationPolicies,
  addNotificationPolicy,
  updateNotificationPolicy,
  deleteNotificationPolicy,
  listSilences,
  addSilence,
  endSilence,
  listMaintenanceWindows,
  addMaintenanceWindow,
  deleteMaintenanceWindow,
  listInhibitionRules,
  addInhibitionRule,
  deleteInhibitionRule,
];
