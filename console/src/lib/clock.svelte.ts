// SPDX-License-Identifier: Apache-2.0
// Now, as state: what says "since 3 min" follows it once a second.
class Clock {
  now = $state(Date.now())
  constructor() {
    setInterval(() => document.hidden || (this.now = Date.now()), 1000)
  }
}

export const clock = new Clock()
