/* Holds one thread of a process still, until it is killed: hold-thread PID NAME. A signal would stop the whole process. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_named(const char *pid, const char *tid, const char *name) {
    char path[300], found[64] = "";
    snprintf(path, sizeof path, "/proc/%s/task/%s/comm", pid, tid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fgets(found, sizeof found, file)) found[strcspn(found, "\n")] = 0;
    fclose(file);
    /* The kernel keeps 15 characters of a name. */
    return strncmp(found, name, 15) == 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/task", argv[1]);
    DIR *tasks = opendir(path);
    if (!tasks) return perror(path), 1;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (!is_named(argv[1], task->d_name, argv[2])) continue;
        pid_t tid = atoi(task->d_name);
        if (ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0)) return perror("ptrace"), 1;
        if (waitpid(tid, 0, __WALL) < 0) return perror("waitpid"), 1;
        printf("held\n");
        fflush(stdout);
        /* Until it is gone; what else stops it is none of our business. */
        for (int status; waitpid(tid, &status, __WALL) > 0 && !WIFEXITED(status) && !WIFSIGNALED(status);) {}
        return 0;
    }
    fprintf(stderr, "process %s has no thread %s\n", argv[1], argv[2]);
    return 1;
}
