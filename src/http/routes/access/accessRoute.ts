import type { FastifyRequest } from 'fastify';
import type { BreakGlassService } from '../../../access/breakGlass/breakGlassService.ts';
import type { AccessControl } from '../../../access/decisions/accessControl.ts';
import type { Actor } from '../../../access/decisions/actor.ts';
import type { GrantService } from '../../../access/grants/grantService.ts';
import type { RoleService } from '../../../access/roles/roleService.ts';
import type { UserRoles } from '../../../access/roles/userRoles.ts';
import type { Server } from '../../typeProvider.ts';

/** What these routes need of the app. */
interface AccessServices {
  readonly accessControl: AccessControl;
  readonly roles: RoleService;
  readonly grants: GrantService;
  readonly breakGlass: BreakGlassService;
  readonly userRoles: UserRoles;
}

/** Registers one endpoint. */
export type AddAccessRoute = (server: Server, app: AccessServices) => void;

/** Who makes the request, for a change that is recorded. */
export function actorOf(request: FastifyRequest): Actor {
  const userAgent = request.headers['user-agent'];
  return {
    principal: request.principal,
    origin: { address: request.ip, requestId: request.id, ...(userAgent === undefined ? {} : { userAgent }) },
  };
}
