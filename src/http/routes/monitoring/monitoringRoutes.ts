import type { AddRoute } from '../route.ts';
import { createDashboard } from './createDashboard.ts';
import { deleteDashboard } from './deleteDashboard.ts';
import { exportDashboard } from './exportDashboard.ts';
import { getDashboard } from './getDashboard.ts';
import { getDashboardVersion } from './getDashboardVersion.ts';
import { getHealth } from './getHealth.ts';
import { getIntegrationsHealth } from './getIntegrationsHealth.ts';
import { importDashboard } from './importDashboard.ts';
import { listDashboards } from './listDashboards.ts';
import { listDashboardVersions } from './listDashboardVersions.ts';
import { listMetrics } from './listMetrics.ts';
import { queryMetrics } from './queryMetrics.ts';
import { updateDashboard } from './updateDashboard.ts';

export const MONITORING_ROUTES: readonly AddRoute[] = [
  getHealth,
  getIntegrationsHealth,
  listMetrics,
  queryMetrics,
  listDashboards,
  createDashboard,
  importDashboard,
  getDashboard,
  updateDashboard,
  deleteDashboard,
  listDashboardVersions,
  getDashboardVersion,
  exportDashboard,
];
