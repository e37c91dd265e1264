/* SPDX-License-Identifier: Apache-2.0
 * The same in C, on a player's machine: the server decides flags for this player, and never shows a rule.
 *
 *   door_c URL TOKEN
 */
#include <showcaller/showcaller.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

static void changed(void* user, const showcaller_event* event) {
  (void)user;
  printf("changed:");
  for (size_t i = 0; i < event->flags_changed_count; ++i) printf(" %s", event->flags_changed[i]);
  printf("\n");
  fflush(stdout);
}

int main(int argc, char** argv) {
  showcaller_options options = {0};
  showcaller_details details;
  const struct timespec moment = {0, 1000000};
  if (argc < 3) {
    fprintf(stderr, "door_c URL TOKEN\n");
    return 2;
  }
  options.url = argv[1];
  options.token = argv[2];
  options.name = "door_c";
  options.at_server = 1;
  showcaller_context* player = showcaller_context_new("player-17");
  showcaller_context_text(player, "party", "party-4");
  showcaller_global_context(NULL);
  showcaller_client* client = showcaller_client_new(&options);
  showcaller_client_context(client, player);
  showcaller_client_on(client, SHOWCALLER_EVENT_CONFIGURATION_CHANGED, changed, NULL);
  if (!showcaller_client_wait(client, 10000)) {
    fprintf(stderr, "there are no flags\n");
    return 1;
  }
  while (!showcaller_boolean(client, "door", 0, NULL)) thrd_sleep(&moment, NULL);
  showcaller_boolean_details(client, "door", 0, NULL, &details);
  printf("door is %s (%s)\n", details.variant, details.reason);
  showcaller_session_started(client, NULL);
  showcaller_session_ended(client, SHOWCALLER_COMPLETED, NULL);
  showcaller_client_shutdown(client);
  showcaller_client_free(client);
  showcaller_context_free(player);
  return 0;
}
