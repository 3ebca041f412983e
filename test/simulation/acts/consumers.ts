import type { Chance } from "../chance.ts";
import type { KeyPlan } from "../plan.ts";
import { type Acts, type Args, DAY, HOUR, later, MINUTE, type Scene, SECOND } from "./act.ts";

const FOR = [20 * SECOND, 3 * MINUTE, 2 * HOUR, DAY];
const HOSTILE = [
  "",
  "{}",
  "null",
  "[]",
  "not json",
  '{"status":"ok","keys":{"__proto__":{"serving":"sha256:0"}}}',
  '{"status":"ok","instance":{"a":1},"keys":[]}',
  '{"status":"ok","keys":{"k0":{"serving":"sha256:"}}}',
  "9".repeat(2_000),
];

function drawService(chance: Chance, keys: readonly KeyPlan[]): Args {
  const place = chance.int(0, keys.length - 1);
  const services = keys[place]?.services.length ?? 0;
  return {
    place,
    service: chance.int(0, Math.max(0, services - 1)),
    for: chance.pick(FOR),
    pick: chance.int(0, 9),
  };
}

function serviceAt({ world }: Scene, { place, service }: Args) {
  return world.places[Number(place)]?.services[Number(service)];
}

/** One of a service's instances, if it has any. */
function instanceAt(scene: Scene, args: Args) {
  const instances = serviceAt(scene, args)?.instances ?? [];
  return instances[Number(args.pick) % Math.max(1, instances.length)];
}

/** The services that use the keys. */
export const consumerActs: Acts = {
  "instance down": {
    weight: 2,
    draw: drawService,
    apply: (scene, args) => {
      const one = instanceAt(scene, args);
      if (one === undefined) return;
      one.down = true;
      later(scene, Number(args.for), () => {
        one.down = false;
      });
    },
  },
  partition: {
    draw: drawService,
    apply: (scene, args) => {
      const one = instanceAt(scene, args);
      if (one === undefined) return;
      one.cutOff = true;
      // What is cut off from the probes is often cut off from the news as well.
      one.stuck = Number(args.pick) % 2 === 0;
      later(scene, Number(args.for), () => {
        one.cutOff = false;
        one.stuck = false;
      });
    },
  },
  "instance stuck": {
    weight: 3,
    draw: drawService,
    apply: (scene, args) => {
      const one = instanceAt(scene, args);
      if (one === undefined) return;
      one.stuck = true;
      later(scene, Number(args.for), () => {
        one.stuck = false;
      });
    },
  },
  "instance relapses": {
    weight: 2,
    draw: drawService,
    apply: (scene, args) => {
      const { world } = scene;
      const one = instanceAt(scene, args);
      const before = world.observer.replaced(world.places[Number(args.place)]);
      if (one === undefined || before === undefined) return;
      one.serving = before;
      one.since = world.timeline.now();
      one.stuck = true;
      later(scene, Number(args.for), () => {
        one.stuck = false;
      });
    },
  },
  "instance born with the old key": {
    weight: 2,
    draw: drawService,
    apply: (scene, args) => {
      const { world } = scene;
      const service = serviceAt(scene, args);
      const before = world.observer.replaced(world.places[Number(args.place)]);
      if (service === undefined || service.instances.length > 4) return;
      service.scaleUp(before ?? service.instances[0]?.serving);
      const born = service.instances.at(-1);
      if (born === undefined) return;
      born.stuck = true;
      later(scene, Number(args.for), () => {
        born.stuck = false;
      });
    },
  },
  "scaled to zero": {
    draw: drawService,
    apply: (scene, args) => {
      const service = serviceAt(scene, args);
      const count = service?.instances.length ?? 0;
      if (service === undefined || count === 0) return;
      service.instances.splice(0);
      later(scene, Number(args.for), () => {
        while (service.instances.length < count) service.scaleUp();
      });
    },
  },
  "crash loop": {
    draw: drawService,
    apply: (scene, args) => {
      const one = instanceAt(scene, args);
      if (one === undefined) return;
      for (let turn = 0; turn < 6; turn += 1)
        later(scene, turn * 7 * SECOND, () => {
          one.down = turn % 2 === 0;
        });
    },
  },
  "hostile answers": {
    draw: drawService,
    apply: (scene, args) => {
      const service = serviceAt(scene, args);
      if (service === undefined) return;
      service.body = HOSTILE[Number(args.pick) % HOSTILE.length];
      later(scene, Number(args.for), () => {
        service.body = undefined;
      });
    },
  },
  "consumer lies": {
    draw: drawService,
    apply: (scene, args) => {
      const one = instanceAt(scene, args);
      if (one === undefined) return;
      one.lies = true;
      one.stuck = true;
      later(scene, Number(args.for), () => {
        one.lies = false;
        one.stuck = false;
      });
    },
  },
  "slow to apply": {
    draw: drawService,
    apply: (scene, args) => {
      const service = serviceAt(scene, args);
      if (service === undefined) return;
      const before = service.applyDelay;
      service.applyDelay = 40 * SECOND;
      later(scene, Number(args.for), () => {
        service.applyDelay = before;
      });
    },
  },
  "reload fails": {
    draw: drawService,
    apply: (scene, args) => {
      const service = serviceAt(scene, args);
      if (service) service.reloadFailures = Number(args.pick);
    },
  },
};
