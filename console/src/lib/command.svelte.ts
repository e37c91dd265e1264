// SPDX-License-Identifier: Apache-2.0
// What a button asks the one command dialog to do. The dialog says what would follow, asks why, sends it, and shows what
// the server says to it.
export interface CommandRequest {
  title: string
  // Who may: a verb of the policy, and the owner of what it is done to.
  verb: string
  owner?: string
  // POST here.
  path: string
  body?: object
  // In a sentence, for when the server cannot tell beforehand.
  means: string
  // Of the button that does it; the title where it is absent.
  confirm?: string
  danger?: boolean
  // The server refuses it without one.
  needsReason?: boolean
  whenDone?: () => void
}

class CommandDesk {
  request = $state.raw<CommandRequest | null>(null)
  ask(request: CommandRequest) {
    this.request = request
  }
}

export const desk = new CommandDesk()
