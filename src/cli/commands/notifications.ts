import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import {
  listNotifications,
  type NotificationPreferences,
  readNotifications,
  setPreferences,
  showPreferences,
} from '../../contract/notifications.ts';
import type { Answer, Command } from '../command.ts';
import { flagOption, listOption, textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { pairs, table } from '../output/table.ts';

const list: Command = {
  name: 'notifications list',
  summary: 'What concerns you, newest first.',
  actor: 'author',
  options: [{ flags: '--unread', summary: 'only what you have not read' }],
  async run(session, _args, options) {
    const { authority, clock } = await session.workflow();
    const unread = flagOption(options, 'unread') ? true : undefined;
    const items = await allPages((cursor) =>
      authority.call(listNotifications, { unread, limit: 200, cursor }),
    );
    return {
      data: items,
      text: () =>
        items.length === 0
          ? 'Nothing.'
          : table(
              items,
              [
                { title: '', value: (each) => (each.read ? '' : 'new') },
                { title: 'WHEN', value: (each) => relativeTime(each.createdAt, clock.now()) },
                { title: 'WHAT', value: (each) => each.type },
                { title: 'WHO', value: (each) => plainLine(each.actorName ?? '-') },
                { title: 'DETAILS', value: (each) => plainLine(JSON.stringify(each.data)), canShrink: true },
              ],
              { width: session.output.width },
            ),
      next: items.some((each) => !each.read) ? 'gitswarm notifications read' : undefined,
    };
  },
};

const read: Command = {
  name: 'notifications read',
  summary: 'Mark some, or all, as read.',
  args: '[ids...]',
  actor: 'author',
  async run(session, ids) {
    const { authority } = await session.workflow();
    const result = await authority.call(readNotifications, ids.length > 0 ? { ids } : {});
    return { data: result, text: () => `${result.read} read, ${result.unread} left` };
  },
};

const set: Command = {
  name: 'notifications set',
  summary: 'What you want to hear of, and where it is sent; without a flag it says what is set.',
  actor: 'author',
  options: [
    { flags: '--events <pattern>', summary: 'merge.landed, merge.* or *; may be repeated', repeat: true },
    { flags: '--webhook <url>', summary: 'where they are posted, signed; none ends that' },
    { flags: '--on', summary: 'tell me' },
    { flags: '--off', summary: 'tell me nothing' },
  ],
  examples: ['gitswarm notifications set --events "merge.*" --events review.submitted'],
  async run(session, _args, options) {
    const { authority } = await session.workflow();
    const [on, off] = [flagOption(options, 'on'), flagOption(options, 'off')];
    if (on && off) throw new SwarmError('usage', 'On or off, not both.');
    const events = listOption(options, 'events');
    const webhook = textOption(options, 'webhook');
    if (!on && !off && events.length === 0 && webhook === undefined) {
      return preferencesAnswer(await authority.call(showPreferences, {}));
    }
    return preferencesAnswer(
      await authority.call(setPreferences, {
        ...(on || off ? { enabled: on } : {}),
        ...(events.length > 0 ? { events } : {}),
        ...(webhook === undefined ? {} : { webhookUrl: webhook === 'none' ? null : webhook }),
      }),
    );
  },
};

function preferencesAnswer(preferences: NotificationPreferences): Answer {
  return {
    data: preferences,
    text: () =>
      pairs([
        ['notifications', preferences.enabled ? 'on' : 'off'],
        ['events', preferences.events.join(', ')],
        ['webhook', preferences.webhookUrl ? plainLine(preferences.webhookUrl) : 'none'],
        ['secret', preferences.webhookSecret ? `${preferences.webhookSecret} (shown this once)` : undefined],
      ]),
  };
}

export const commands: Command[] = [list, read, set];
