import { send } from './http-load.ts';
import { atMost, median, type Row } from './measure.ts';
import { ADMIN, type World } from './server-world.ts';

/** A page of a long list against one of a short list. */
export async function benchLists(world: World): Promise<Row[]> {
  const repoWith = async (count: number) => {
    const { id } = await world.ask('POST /repos/register', ADMIN, { name: `list ${count}` });
    for (let i = 0; i < count; i += 50) {
      await Promise.all(
        Array.from({ length: Math.min(50, count - i) }, () =>
          world.ask(`POST /repos/${id}/streams`, ADMIN, { name: 'x' }),
        ),
      );
    }
    return id as string;
  };
  const [few, many] = [await repoWith(200), await repoWith(5000)];
  const times: Record<string, number[]> = { [few]: [], [many]: [] };
  for (let i = 0; i < 40; i++)
    for (const id of [few, many]) {
      const { ms } = await send('GET', `${world.url}/api/v1/repos/${id}/streams?limit=50`, { key: ADMIN });
      times[id]?.push(ms);
    }
  return [
    atMost(
      'a page of 5,000 streams against one of 200',
      median(times[many] ?? []) / median(times[few] ?? []),
      2,
    ),
  ];
}
