// Whole files: what is replaced, what is written through, and what a killed process leaves.
#define _XOPEN_SOURCE 700
#include "base/file.h"
#include "base/memory.h"
#include "base/sync.h"
#include "support.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, LARGE = 1 << 20 };

// support_path() uses one place for all paths.
static void path_of(const char *name, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s", support_path(name));
}

static cj_status write_text(const char *path, const char *text)
{
    cj__output output;
    CJ_TRY(cj__output_open(&output, path));
    fputs(text, output.stream);
    return cj__output_commit(&output);
}

static void assert_text(const char *path, const char *text)
{
    char *bytes;
    size_t size;
    assert_int_equal(cj__file_read(path, 1 << 20, &bytes, &size), CJ_OK);
    assert_string_equal(bytes, text);
    cj__free(bytes);
}

static mode_t mode_of(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts.st_mode;
}

// The files in the tests' folder whose names begin with a dot.
static int temporaries(void)
{
    int count = 0;
    DIR *folder = opendir(support_folder());
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += strncmp(entry->d_name, ".cajal-", 7) == 0;
    closedir(folder);
    return count;
}

static void a_new_file_has_the_mode_of_the_process(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    path_of("new", path);
    const mode_t before = umask(027);
    assert_int_equal(write_text(path, "one"), CJ_OK);
    umask(before);
    assert_text(path, "one");
    assert_int_equal(mode_of(path) & 0777, 0640);
    assert_int_equal(temporaries(), 0);
}

static void a_file_that_is_replaced_keeps_its_mode(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    path_of("private", path);
    support_write(path, "old", 3);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(write_text(path, "new"), CJ_OK);
    assert_text(path, "new");
    assert_int_equal(mode_of(path) & 0777, 0600);
}

static void an_abandoned_file_leaves_the_old_one(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    path_of("kept", path);
    support_write(path, "old", 3);
    cj__output output;
    assert_int_equal(cj__output_open(&output, path), CJ_OK);
    fputs("new", output.stream);
    assert_int_equal(temporaries(), 1);
    cj__output_abandon(&output);
    assert_text(path, "old");
    assert_int_equal(temporaries(), 0);
    cj__output_abandon(&output);
}

static void links_are_followed(void **state)
{
    (void)state;
    char target[PATH_SIZE], link[PATH_SIZE], other[PATH_SIZE];
    path_of("target", target);
    path_of("link", link);
    path_of("link to link", other);
    support_write(target, "old", 3);
    assert_int_equal(symlink("target", link), 0); // relative to its folder
    assert_int_equal(symlink(link, other), 0);
    assert_int_equal(write_text(other, "new"), CJ_OK);
    assert_true(S_ISLNK(mode_of(link)) && S_ISLNK(mode_of(other)));
    assert_text(target, "new");
    assert_int_equal(unlink(target), 0); // a link that points to nothing makes its target
    assert_int_equal(write_text(link, "again"), CJ_OK);
    assert_true(S_ISLNK(mode_of(link)) && S_ISREG(mode_of(target)));
    assert_text(target, "again");
}

static void a_circle_of_links_is_refused(void **state)
{
    (void)state;
    char a[PATH_SIZE], b[PATH_SIZE];
    path_of("a", a);
    path_of("b", b);
    assert_int_equal(symlink("b", a), 0);
    assert_int_equal(symlink("a", b), 0);
    assert_int_equal(write_text(a, "x"), CJ_IO);
    assert_error_contains("/a\"");
}

static void devices_and_folders_stay_what_they_are(void **state)
{
    (void)state;
    char link[PATH_SIZE];
    path_of("null", link);
    assert_int_equal(write_text("/dev/null", "x"), CJ_OK);
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_int_equal(symlink("/dev/null", link), 0);
    assert_int_equal(write_text(link, "x"), CJ_OK);
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_int_equal(write_text("/dev/full", "x"), CJ_IO);
    assert_error_contains("No space left");
    assert_true(S_ISCHR(mode_of("/dev/full")));
    assert_int_equal(write_text(support_folder(), "x"), CJ_IO);
    assert_int_equal(write_text(support_path("no folder/file"), "x"), CJ_IO);
    assert_int_equal(write_text(NULL, "x"), CJ_INVALID_ARGUMENT);
}

typedef struct pipe_reader {
    char path[PATH_SIZE], text[16];
} pipe_reader;

static void read_pipe(void *context)
{
    pipe_reader *reader = context;
    FILE *file = fopen(reader->path, "r");
    if (file) {
        if (!fgets(reader->text, sizeof reader->text, file))
            reader->text[0] = '\0';
        fclose(file);
    }
}

static void a_fifo_is_written_through(void **state)
{
    (void)state;
    pipe_reader reader = {.text = ""};
    path_of("fifo", reader.path);
    assert_int_equal(mkfifo(reader.path, 0600), 0);
    cj__thread thread;
    assert_true(cj__thread_start(&thread, read_pipe, &reader));
    assert_int_equal(write_text(reader.path, "through"), CJ_OK);
    cj__thread_join(&thread);
    assert_string_equal(reader.text, "through");
    assert_true(S_ISFIFO(mode_of(reader.path)));
}

static pid_t start(void (*child)(const char *path), const char *path)
{
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        child(path);
        _exit(0);
    }
    return process;
}

static void die_while_writing(const char *path)
{
    cj__output output;
    if (cj__output_open(&output, path) == CJ_OK) {
        fputs("half", output.stream);
        fflush(output.stream);
        raise(SIGKILL);
    }
}

static void what_a_killed_process_left_is_cleaned_up(void **state)
{
    (void)state;
    char path[PATH_SIZE], other[PATH_SIZE];
    path_of("killed", path);
    path_of("other", other);
    support_write(path, "old", 3);
    int status;
    waitpid(start(die_while_writing, path), &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_text(path, "old");
    assert_int_equal(temporaries(), 1);
    cj__output open_file; // a file that is being written is not taken for an old one
    assert_int_equal(cj__output_open(&open_file, other), CJ_OK);
    assert_int_equal(temporaries(), 1);
    assert_int_equal(write_text(path, "new"), CJ_OK);
    assert_int_equal(temporaries(), 1);
    fputs("whole", open_file.stream);
    assert_int_equal(cj__output_commit(&open_file), CJ_OK);
    assert_text(other, "whole");
    assert_int_equal(temporaries(), 0);
}

static void write_for_ever(const char *path)
{
    static char block[LARGE];
    for (int i = 0;; i++) {
        cj__output output;
        memset(block, 'a' + i % 26, sizeof block);
        if (cj__output_open(&output, path) != CJ_OK)
            _exit(1);
        fwrite(block, 1, sizeof block, output.stream);
        if (cj__output_commit(&output) != CJ_OK)
            _exit(1);
    }
}

static void a_kill_at_any_moment_leaves_a_whole_file(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    path_of("often", path);
    for (int i = 0; i < 20; i++) {
        const pid_t process = start(write_for_ever, path);
        nanosleep(&(struct timespec){.tv_nsec = 1000000 + i * 700000}, NULL);
        kill(process, SIGKILL);
        int status;
        waitpid(process, &status, 0);
        assert_true(WIFSIGNALED(status));
        if (access(path, F_OK) != 0)
            continue; // killed before the first was whole
        size_t size;
        char *bytes = (char *)support_read(path, &size);
        assert_int_equal(size, LARGE);
        for (size_t k = 1; k < size; k++)
            assert_true(bytes[k] == bytes[0]);
        free(bytes);
    }
    assert_int_equal(write_text(path, "end"), CJ_OK);
    assert_int_equal(temporaries(), 0);
}

// The limit of a file's size stands for a full disk: a write fails in the middle.
static void write_too_much(const char *path)
{
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){LARGE / 2, LARGE / 2});
    static const char block[LARGE];
    cj__output output;
    if (cj__output_open(&output, path) != CJ_OK)
        _exit(1);
    fwrite(block, 1, sizeof block, output.stream);
    if (cj__output_commit(&output) != CJ_IO)
        _exit(2);
    _exit(strstr(cj_error(), "File too large") && strstr(cj_error(), path) ? 0 : 3);
}

static void a_full_disk_gives_the_cause_and_leaves_the_old_file(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    path_of("full", path);
    support_write(path, "old", 3);
    int status;
    waitpid(start(write_too_much, path), &status, 0);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_text(path, "old");
    assert_int_equal(temporaries(), 0);
}

static cj_status write_and_read(void *path)
{
    char *bytes = NULL;
    size_t size;
    CJ_TRY(write_text(path, "text"));
    CJ_TRY(cj__file_read(path, 100, &bytes, &size));
    cj__free(bytes);
    return CJ_OK;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    path_of("memory", path);
    support_fail_each_allocation(write_and_read, path);
    assert_int_equal(temporaries(), 0);
}

static void reading_refuses_what_is_no_file_of_that_size(void **state)
{
    (void)state;
    char path[PATH_SIZE], *bytes;
    size_t size;
    path_of("five", path);
    support_write(path, "12345", 5);
    assert_int_equal(cj__file_read(path, 4, &bytes, &size), CJ_UNSUPPORTED);
    assert_null(bytes);
    assert_int_equal(cj__file_read("/dev/zero", 100, &bytes, &size), CJ_IO);
    assert_int_equal(cj__file_read(support_path("none"), 100, &bytes, &size), CJ_NOT_FOUND);
    assert_int_equal(cj__file_read(NULL, 100, &bytes, &size), CJ_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_has_the_mode_of_the_process),
        cmocka_unit_test(a_file_that_is_replaced_keeps_its_mode),
        cmocka_unit_test(an_abandoned_file_leaves_the_old_one),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(a_circle_of_links_is_refused),
        cmocka_unit_test(devices_and_folders_stay_what_they_are),
        cmocka_unit_test(a_fifo_is_written_through),
        cmocka_unit_test(what_a_killed_process_left_is_cleaned_up),
        cmocka_unit_test(a_kill_at_any_moment_leaves_a_whole_file),
        cmocka_unit_test(a_full_disk_gives_the_cause_and_leaves_the_old_file),
        cmocka_unit_test(survives_failed_allocations),
        cmocka_unit_test(reading_refuses_what_is_no_file_of_that_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
