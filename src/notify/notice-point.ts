import type { Courier } from "./courier.ts";
import type { Channel } from "./deliver.ts";

/** Told how each attempt to deliver came out. */
export interface DeliveryMeter {
  notified(channel: Channel, outcome: "delivered" | "failed"): void;
}

/** Where engine, courier and metrics meet: each is made before it is known whether the others are. */
export class NoticePoint {
  #courier: Pick<Courier, "ring"> | undefined;
  #meter: DeliveryMeter | undefined;

  attach(courier: Pick<Courier, "ring">): void {
    this.#courier = courier;
  }

  measure(meter: DeliveryMeter): void {
    this.#meter = meter;
  }

  ring(): void {
    this.#courier?.ring();
  }

  notified(...[channel, outcome]: Parameters<DeliveryMeter["notified"]>): void {
    this.#meter?.notified(channel, outcome);
  }
}
