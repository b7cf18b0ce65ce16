import type { App } from '../app.ts';
import { readYamlBodies } from './requestBody.ts';
import { ACCESS_ROUTES } from './routes/access/accessRoutes.ts';
import { ALERT_ROUTES } from './routes/alerts/alertRoutes.ts';
import { createApiKey } from './routes/apiKeys/createApiKey.ts';
import { listApiKeys } from './routes/apiKeys/listApiKeys.ts';
import { listOwnApiKeys } from './routes/apiKeys/listOwnApiKeys.ts';
import { revokeApiKey, revokeOwnApiKey } from './routes/apiKeys/revokeApiKey.ts';
import { rotateApiKey } from './routes/apiKeys/rotateApiKey.ts';
import { exportAuditLog } from './routes/audit/exportAuditLog.ts';
import { getAuditKey } from './routes/audit/getAuditKey.ts';
import { listAuditEntries } from './routes/audit/listAuditEntries.ts';
import { listCheckpoints } from './routes/audit/listCheckpoints.ts';
import { proveAuditEntry } from './routes/audit/proveAuditEntry.ts';
import { acceptInvitation } from './routes/auth/acceptInvitation.ts';
import { accountPages } from './routes/auth/accountPages.ts';
import { changePassword } from './routes/auth/changePassword.ts';
import { completeLogin } from './routes/auth/completeLogin.ts';
import { completePasswordReset } from './routes/auth/completePasswordReset.ts';
import { confirmSecondFactor } from './routes/auth/confirmSecondFactor.ts';
import { disableSecondFactor } from './routes/auth/disableSecondFactor.ts';
import { endAllSessions } from './routes/auth/endAllSessions.ts';
import { endSession } from './routes/auth/endSession.ts';
import { enrolSecondFactor } from './routes/auth/enrolSecondFactor.ts';
import { getSession } from './routes/auth/getSession.ts';
import { inviteUser } from './routes/auth/inviteUser.ts';
import { listInvitations } from './routes/auth/listInvitations.ts';
import { listSessions } from './routes/auth/listSessions.ts';
import { login } from './routes/auth/login.ts';
import { logout } from './routes/auth/logout.ts';
import { requestPasswordReset } from './routes/auth/requestPasswordReset.ts';
import { setup } from './routes/auth/setup.ts';
import { withdrawInvitation } from './routes/auth/withdrawInvitation.ts';
import { deleteConnector } from './routes/connectors/deleteConnector.ts';
import { getConnector } from './routes/connectors/getConnector.ts';
import { listConnectors } from './routes/connectors/listConnectors.ts';
import { saveConnector } from './routes/connectors/saveConnector.ts';
import { validateConnector } from './routes/connectors/validateConnector.ts';
import { freezeApiKey, freezeUser } from './routes/freezes/freeze.ts';
import { unfreezeApiKey, unfreezeUser } from './routes/freezes/unfreeze.ts';
import { checkIntegrationHealth } from './routes/integrations/checkIntegrationHealth.ts';
import { checkRateLimit } from './routes/integrations/checkRateLimit.ts';
import { connectIntegration } from './routes/integrations/connectIntegration.ts';
import { createIntegration } from './routes/integrations/createIntegration.ts';
import { deleteIntegration } from './routes/integrations/deleteIntegration.ts';
import { disconnectIntegration } from './routes/integrations/disconnectIntegration.ts';
import { getIntegration } from './routes/integrations/getIntegration.ts';
import { getIntegrationMetrics } from './routes/integrations/getIntegrationMetrics.ts';
import { listIntegrations } from './routes/integrations/listIntegrations.ts';
import { testConnection } from './routes/integrations/testConnection.ts';
import { updateIntegration } from './routes/integrations/updateIntegration.ts';
import { exportLogs } from './routes/logs/exportLogs.ts';
import { getLogHistogram } from './routes/logs/getLogHistogram.ts';
import { getLogLevels } from './routes/logs/getLogLevels.ts';
import { getLogRetention } from './routes/logs/getLogRetention.ts';
import { listIntegrationLogs } from './routes/logs/listIntegrationLogs.ts';
import { listLogs } from './routes/logs/listLogs.ts';
import { logEvents } from './routes/logs/logEvents.ts';
import { setLogLevel } from './routes/logs/setLogLevel.ts';
import { setLogRetention } from './routes/logs/setLogRetention.ts';
import { streamLogs } from './routes/logs/streamLogs.ts';
import { MONITORING_ROUTES } from './routes/monitoring/monitoringRoutes.ts';
import { NOTIFICATION_ROUTES } from './routes/notifications/notificationRoutes.ts';
import { getTuning } from './routes/optimizations/getTuning.ts';
import { listOptimizations } from './routes/optimizations/listOptimizations.ts';
import { optimizeIntegration } from './routes/optimizations/optimizeIntegration.ts';
import { revertOptimization } from './routes/optimizations/revertOptimization.ts';
import { setTuning } from './routes/optimizations/setTuning.ts';
import { analyzePerformance } from './routes/performance/analyzePerformance.ts';
import { getGlobalPerformanceReport } from './routes/performance/getGlobalPerformanceReport.ts';
import { getPerformanceHistory } from './routes/performance/getPerformanceHistory.ts';
import { getPerformanceSummary } from './routes/performance/getPerformanceSummary.ts';
import { recordMetrics } from './routes/performance/recordMetrics.ts';
import { adjustRateLimit } from './routes/rateLimits/adjustRateLimit.ts';
import { getRateLimitStats } from './routes/rateLimits/getRateLimitStats.ts';
import { exportStream } from './routes/records/exportStream.ts';
import { listRecords } from './routes/records/listRecords.ts';
import type { AddRoute } from './routes/route.ts';
import { confirmDeletions } from './routes/syncs/confirmDeletions.ts';
import { getRun } from './routes/syncs/getRun.ts';
import { listRuns } from './routes/syncs/listRuns.ts';
import { listStreams } from './routes/syncs/listStreams.ts';
import { startSync } from './routes/syncs/startSync.ts';
import { stopSync } from './routes/syncs/stopSync.ts';
import { syncAll } from './routes/syncs/syncAll.ts';
import { syncIntegration } from './routes/syncs/syncIntegration.ts';
import { errorPage } from './routes/system/errorPage.ts';
import { health } from './routes/system/health.ts';
import { home } from './routes/system/home.ts';
import { livez } from './routes/system/livez.ts';
import { metrics } from './routes/system/metrics.ts';
import { readyz } from './routes/system/readyz.ts';
import { deactivateUser } from './routes/users/deactivateUser.ts';
import { getUser } from './routes/users/getUser.ts';
import { listUsers } from './routes/users/listUsers.ts';
import { reactivateUser } from './routes/users/reactivateUser.ts';
import { resetSecondFactor } from './routes/users/resetSecondFactor.ts';
import { updateUser } from './routes/users/updateUser.ts';
import { addWebhook } from './routes/webhooks/addWebhook.ts';
import { deleteWebhook } from './routes/webhooks/deleteWebhook.ts';
import { listWebhooks } from './routes/webhooks/listWebhooks.ts';
import { updateWebhook } from './routes/webhooks/updateWebhook.ts';
import type { Server } from './typeProvider.ts';

/** Every endpoint, in the order of the reference page. */
const ROUTES: readonly AddRoute[] = [
  listIntegrations,
  createIntegration,
  getIntegration,
  updateIntegration,
  deleteIntegration,
  testConnection,
  connectIntegration,
  disconnectIntegration,
  checkIntegrationHealth,
  getIntegrationMetrics,
  recordMetrics,
  analyzePerformance,
  getPerformanceHistory,
  getGlobalPerformanceReport,
  getPerformanceSummary,
  checkRateLimit,
  getRateLimitStats,
  adjustRateLimit,
  optimizeIntegration,
  listOptimizations,
  revertOptimization,
  getTuning,
  setTuning,
  syncIntegration,
  startSync,
  stopSync,
  syncAll,
  listRuns,
  getRun,
  listStreams,
  confirmDeletions,
  listRecords,
  exportStream,
  listLogs,
  listIntegrationLogs,
  getLogHistogram,
  exportLogs,
  streamLogs,
  logEvents,
  listWebhooks,
  addWebhook,
  updateWebhook,
  deleteWebhook,
  listConnectors,
  getConnector,
  ...ALERT_ROUTES,
  ...NOTIFICATION_ROUTES,
  ...ACCESS_ROUTES,
  listAuditEntries,
  exportAuditLog,
  listCheckpoints,
  getAuditKey,
  proveAuditEntry,
  setup,
  login,
  completeLogin,
  logout,
  getSession,
  listSessions,
  endSession,
  endAllSessions,
  changePassword,
  enrolSecondFactor,
  confirmSecondFactor,
  disableSecondFactor,
  requestPasswordReset,
  completePasswordReset,
  inviteUser,
  listInvitations,
  withdrawInvitation,
  acceptInvitation,
  listUsers,
  getUser,
  updateUser,
  deactivateUser,
  reactivateUser,
  resetSecondFactor,
  listOwnApiKeys,
  createApiKey,
  rotateApiKey,
  revokeOwnApiKey,
  listApiKeys,
  revokeApiKey,
  freezeUser,
  unfreezeUser,
  freezeApiKey,
  unfreezeApiKey,
  getLogLevels,
  setLogLevel,
  getLogRetention,
  setLogRetention,
  home,
  accountPages,
  errorPage,
  livez,
  readyz,
  health,
  ...MONITORING_ROUTES,
  metrics,
];

/** These take YAML bodies beside JSON. */
const YAML_ROUTES: readonly AddRoute[] = [validateConnector, saveConnector, deleteConnector];

export function addRoutes(server: Server, app: App): void {
  for (const add of ROUTES) add(server, app);
  server.register(async (scope) => {
    readYamlBodies(scope);
    for (const add of YAML_ROUTES) add(scope, app);
  });
}
