import * as z from 'zod';
import { Id, line, PageInput, page, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { EventType } from './events.ts';

/** An event that concerns an agent. */
export const Notification = z.object({
  id: Id,
  type: EventType,
  repoId: Id.nullable(),
  actorName: z.string().nullable(),
  subject: z.object({ type: z.string(), id: z.string() }),
  data: z.record(z.string(), z.unknown()),
  read: z.boolean(),
  createdAt: Time,
});
export type Notification = z.infer<typeof Notification>;

/** An event type, or all of a noun: `merge.landed`, `merge.*`, `*`. */
export const EventPattern = line(100).regex(
  /^(\*|[a-z_]+\.(\*|[a-z_]+))$/,
  'wants merge.landed, merge.* or *',
);

export const NotificationPreferences = z.object({
  enabled: z.boolean(),
  events: z.array(z.string()),
  webhookUrl: z.string().nullable(),
  /** Shown when it is made, else null: what is sent is signed with it. */
  webhookSecret: z.string().nullable(),
});
export type NotificationPreferences = z.infer<typeof NotificationPreferences>;

/** Those of the caller, newest first. */
export const listNotifications = endpoint('notification.list', () => ({
  method: 'GET',
  path: '/me/notifications',
  input: z.object({ ...PageInput, unread: z.boolean().optional() }),
  output: page(Notification),
}));

/** Marks some, or all, as read. */
export const readNotifications = endpoint('notification.read', () => ({
  method: 'POST',
  path: '/me/notifications/read',
  input: z.object({ ids: z.array(Id).max(200).optional() }),
  output: z.object({ read: z.number().int(), unread: z.number().int() }),
}));

export const showPreferences = endpoint('notification.preferences', () => ({
  method: 'GET',
  path: '/me/notifications/preferences',
  input: z.object({}),
  output: NotificationPreferences,
}));

/** `webhookUrl: null` ends delivery; a new address is given a new secret. */
export const setPreferences = endpoint('notification.set', () => ({
  method: 'PUT',
  path: '/me/notifications/preferences',
  input: z.object({
    enabled: z.boolean().optional(),
    events: z.array(EventPattern).min(1).max(100).optional(),
    webhookUrl: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .nullable()
      .optional(),
  }),
  output: NotificationPreferences,
}));

/** A notification on its way to a webhook, signed, as it is to be sent. */
export const DueDelivery = z.object({
  id: Id,
  url: z.string(),
  attempts: z.number().int(),
  body: z.string(),
  headers: z.record(z.string(), z.string()),
});
export type DueDelivery = z.infer<typeof DueDelivery>;

/** What is due to be sent now, with the signature of this moment. */
export const dueDeliveries = endpoint('delivery.due', () => ({
  method: 'GET',
  path: '/repos/:repoId/deliveries/due',
  input: z.object({ repoId: Id, limit: z.number().int().min(1).max(200).default(20) }),
  output: z.object({ items: z.array(DueDelivery) }),
  internal: true,
}));

/** What became of an attempt; a failure is tried again later, until it is given up. */
export const recordDelivery = endpoint('delivery.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/deliveries/:delivery',
  input: z.object({
    repoId: Id,
    delivery: Id,
    outcome: z.enum(['delivered', 'failed', 'refused']),
    error: z.string().max(1000).optional(),
  }),
  output: z.object({ status: z.enum(['pending', 'delivered', 'dead']), nextAt: Time.nullable() }),
  internal: true,
}));
