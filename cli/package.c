// Installs a Debian package that holds a data set, by apt-get: as root, or through sudo.
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// Runs a program with its output on standard error, and waits. CJ_NOT_FOUND if there is no such
// program, CJ_IO if it fails.
static cj_status run_program(char *const *words)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int state = 0, problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0)
        return cj_fail(CJ_OUT_OF_MEMORY, "%s: cannot be started: %s", words[0], strerror(problem));
    problem = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (problem == 0)
        problem = posix_spawnp(&child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (problem != 0)
        return cj_fail(problem == ENOENT ? CJ_NOT_FOUND : CJ_IO, "%s: cannot be started: %s",
                       words[0], strerror(problem));
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return cj_fail(CJ_IO, "%s: %s", words[0], strerror(errno));
    if (WIFEXITED(state) && WEXITSTATUS(state) == 127)
        return cj_fail(CJ_NOT_FOUND, "%s: not found", words[0]);
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return cj_fail(CJ_IO, "%s did not succeed", words[0]);
    return CJ_OK;
}

cj_status install_package(const char *package)
{
    char name[128];
    snprintf(name, sizeof name, "%s", package);
    char *words[] = {"sudo", "apt-get", "install", "-qq", "--no-install-recommends", name, NULL};
    char **line = geteuid() == 0 ? words + 1 : words;
    fprintf(stderr, "cajal: installing Debian's package %s:", package);
    for (char **word = line; *word; word++)
        fprintf(stderr, " %s", *word);
    fputc('\n', stderr);
    cj_status status = run_program(line);
    if (status == CJ_IO) { // a machine may not know yet what there is
        char *update[] = {"sudo", "apt-get", "update", "-qq", NULL};
        if (run_program(geteuid() == 0 ? update + 1 : update) == CJ_OK)
            status = run_program(line);
    }
    if (status == CJ_NOT_FOUND)
        return cj_fail(status,
                       "%s: please install Debian's package %s as root (apt-get install %s), or "
                       "lay the files where `cajal datasets info` looks",
                       cj_error(), package, package);
    if (status != CJ_OK)
        return cj_fail(status, "%s: Debian's package %s is not installed", cj_error(), package);
    return CJ_OK;
}
