// SPDX-License-Identifier: Apache-2.0
// The kill switch, as the list and the flag's own page offer it.
import { path } from '../../lib/api'
import type { CommandRequest } from '../../lib/command.svelte'
import type { FlagLine } from '../../lib/types'

export const killOrReopen = (line: FlagLine, whenDone: () => void): CommandRequest =>
  line.state === 'killed'
    ? {
        title: 'Reopen', verb: 'reopen-flag', owner: line.owner, path: path`/api/v1/flags/${line.flag}/reopen`, whenDone,
        means: `${line.flag} is again as its manifest and its events say.`, confirm: 'Reopen the flag',
      }
    : {
        title: 'Kill', verb: 'kill-flag', owner: line.owner, path: path`/api/v1/flags/${line.flag}/kill`, danger: true, whenDone,
        means: `Everybody gets the off variant of ${line.flag} at once, whatever its rules and events say.`, confirm: 'Kill the flag',
      }
