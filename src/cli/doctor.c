#include "cli/doctor.h"

#include "base/file.h"
#include "base/log.h"
#include "base/say.h"
#include "base/text.h"
#include "checkpoint/locate.h"
#include "checkpoint/striping.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "h5/h5.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/cpu.h"
#include "nn/kernels/gemm.h"
#include "nn/kernels/numerics.h"
#include "nn/kernels/product_bf16_chosen.h"
#include "nn/kernels/product_bf16_trial.h"
#include "parallel/node.h"
#include "parallel/world.h"
#include "run/environment.h"
#include "run/run_state.h"
#include "train/runtime.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHM_LEAST (64 << 20) /* what containers often give */
#define IO_NAME   4096       /* Open MPI's texts take 2048 */

static const char *const verdict_words[] = {"good", "warning", "bad"};
static enum verdict worst;

void doctor_say(enum verdict verdict, const char *about, const char *remedy, const char *format, ...)
{
    va_list args;
    say("%-8s %-14s ", verdict_words[verdict], about);
    va_start(args, format);
    say_list(format, args);
    va_end(args);
    say("\n");
    if (remedy)
        say("%-8s %-14s -> %s\n", "", "", remedy);
    if (verdict > worst)
        worst = verdict;
}

static const char by_srun[] = "PMIx (srun)";

/* To be asked before MPI_Init, which sets such variables also for a process that nobody has launched. */
static const char *find_launcher(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") ? "mpirun" : getenv("PMIX_RANK") ? by_srun : NULL;
}

/* Whether ranks of other nodes may send before this one is ready: see make_srun_wait in launch/preparation.c. */
static bool may_crash_at_start(void)
{
    const char *nodes = getenv("SLURM_STEP_NUM_NODES"), *fence = getenv("SLURM_PMIX_FENCE");
    return nodes && strcmp(nodes, "1") != 0 && !(fence && strcmp(fence, "ring") == 0);
}

static void say_launcher(const char *how, const struct world *world, const struct node *node)
{
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    if (!how)
        doctor_say(VERDICT_GOOD, "launcher", "mpirun -np N lockstep doctor tells of the ranks as well",
                   "none: one process on %s", host);
    else
        doctor_say(VERDICT_GOOD, "launcher", NULL, "%s: %d rank%s on %d node%s; rank 0 on %s", how, world->size,
                   world->size == 1 ? "" : "s", node->count, node->count == 1 ? "" : "s", host);
    if (how && strcmp(how, by_srun) == 0 && may_crash_at_start())
        doctor_say(VERDICT_WARNING, "start", "export SLURM_PMIX_FENCE=ring; lockstep supervise -- srun does",
                   "Slurm lets ranks of several nodes leave MPI_Init too early: one start in some hundreds crashes");
}

static void say_mpi(void)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int level, length;
    MPI_Get_library_version(version, &length);
    version[strcspn(version, ",\n")] = '\0';
    MPI_Query_thread(&level);
    if (level == MPI_THREAD_MULTIPLE)
        doctor_say(VERDICT_GOOD, "MPI", NULL, "%s with MPI_THREAD_MULTIPLE: checkpoints are written beside training",
                   version);
    else
        doctor_say(VERDICT_WARNING, "MPI", "an MPI that is built with thread support",
                   "%s without MPI_THREAD_MULTIPLE: training stands still while a checkpoint is written", version);
}

/* The component that Open MPI was told to use, by command line, environment or a file of parameters. name is empty if
 * there is none. */
static void find_io(char name[IO_NAME])
{
    int index, level, count = 0;
    MPI_T_cvar_handle handle;
    *name = '\0';
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &level) != MPI_SUCCESS)
        return;
    if (MPI_T_cvar_get_index("io", &index) == MPI_SUCCESS &&
        MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) == MPI_SUCCESS) {
        if (count <= IO_NAME)
            MPI_T_cvar_read(handle, name);
        MPI_T_cvar_handle_free(&handle);
    }
    MPI_T_finalize();
}

static void say_io(void)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        {"", "Open MPI's choice (ompio, on Lustre romio321): a full disk can go unnoticed"},
        {"ompio", "ompio: a full disk can go unnoticed"},
        {"romio321", "romio321: if one rank cannot write, the others can hang"},
    };
    char name[IO_NAME];
    find_io(name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) {
            doctor_say(VERDICT_GOOD, "MPI-IO", NULL,
                       "%s; so lockstep reserves the room first, reads back what it has written, and waits for nobody "
                       "for ever",
                       known[i].words);
            return;
        }
    doctor_say(VERDICT_WARNING, "MPI-IO", "leave the choice to Open MPI, or take ompio or romio321",
               "io = %s is asked for: not tried with lockstep", name);
}

static void say_hdf5(void)
{
    struct text words;
    text_init(&words);
    bool is_parallel = h5_describe(&words);
    doctor_say(is_parallel ? VERDICT_GOOD : VERDICT_BAD, "HDF5", is_parallel ? NULL : "link with libhdf5-openmpi", "%s",
               text_bytes(&words));
    text_release(&words);
}

/* Of the newest checkpoint of the run in this directory; 0: there is none. */
static uint64_t checkpoint_bytes(const char *directory)
{
    char path[PATH_MAX];
    struct stat info;
    struct error error;
    return locate_checkpoint(directory, path, &error) && stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static void say_room(const char *directory, const struct text *striping)
{
    char room[TEXT_AMOUNT], need[TEXT_AMOUNT];
    uint64_t room_bytes = file_free_bytes(directory), need_bytes = checkpoint_bytes(directory);
    text_amount(room_bytes, room);
    text_amount(need_bytes, need);
    if (room_bytes > need_bytes)
        doctor_say(VERDICT_GOOD, "file system", NULL, "%s: %s, %s free", directory, text_bytes(striping), room);
    else
        doctor_say(VERDICT_BAD, "file system", "make room: a save would fail",
                   "%s: %s, %s free; the newest checkpoint has %s", directory, text_bytes(striping), room, need);
}

/* The file system of a run directory, or where one would be made. */
static void say_disk(const char *directory)
{
    struct striping striping;
    struct text words;
    struct error error;
    struct stat info;
    char path[PATH_MAX];
    int lock = -1;
    bool is_other = stat(directory, &info) == 0 && !S_ISDIR(info.st_mode);
    if (is_other || access(directory, W_OK | X_OK) != 0) {
        doctor_say(VERDICT_BAD, "file system", "name a directory in which a run can be made", "%s: %s", directory,
                   strerror(is_other ? ENOTDIR : errno));
        return;
    }
    text_init(&words);
    striping_init(&striping);
    striping_apply(&striping, directory);
    striping_describe(&striping, &words);
    say_room(directory, &words);
    text_release(&words);
    snprintf(path, sizeof path, "%s/.lockstep-doctor", directory);
    bool ok = file_lock(path, 0, &lock, &error);
    if (!ok)
        doctor_say(VERDICT_BAD, "locks", "choose another run directory", "%s", error.text);
    else if (lock < 0)
        doctor_say(VERDICT_WARNING, "locks", "take care that no second job uses the same run directory",
                   "this file system has none");
    else
        doctor_say(VERDICT_GOOD, "locks", NULL, "work: a second job is kept out of a run directory");
    if (lock >= 0)
        close(lock);
    unlink(path);
}

static void say_memory(void)
{
    uint64_t bytes = file_free_bytes("/dev/shm");
    char size[TEXT_AMOUNT];
    text_amount(bytes, size);
    if (bytes >= SHM_LEAST)
        doctor_say(VERDICT_GOOD, "shared memory", NULL, "/dev/shm: %s free", size);
    else
        doctor_say(VERDICT_WARNING, "shared memory",
                   "a larger /dev/shm (docker run --shm-size, or mount -o remount,size=)",
                   "/dev/shm: %s free: ranks of a node may have to exchange messages instead, which is slower", size);
}

static void say_numerics(void)
{
    struct error error = {0};
    bool holds = numerics_digest() == NUMERICS_DIGEST && product_bf16_digest() == PRODUCT_BF16_DIGEST;
    if (!cpu_check(&error))
        doctor_say(VERDICT_BAD, "numerics", "unset LOCKSTEP_CPU: training is refused", "%s", error.text);
    else
        doctor_say(holds ? VERDICT_GOOD : VERDICT_WARNING, "numerics",
                   holds ? NULL : "a program that is compiled without -ffast-math", "%s; kernels for %s; %s %s",
                   numerics_describe(), cpu_name(cpu_isa()), compute_bf16.precision(&compute_bf16),
                   product_bf16_is_native() ? "native" : "emulated");
    error_clear(&error);
}

/* For jobs with compute.gemm: openblas. */
static void say_blas(void)
{
    const char *describes = compute_openblas.describe(&compute_openblas);
    const char *forced = getenv("OPENBLAS_CORETYPE"), *ignored = gemm_core_ignored();
    if (ignored)
        doctor_say(VERDICT_WARNING, "BLAS", "unset it, or name a core type that OpenBLAS knows",
                   "%s a rank; OPENBLAS_CORETYPE=%s is not taken", describes, ignored);
    else if (forced && *forced)
        doctor_say(VERDICT_WARNING, "BLAS",
                   "unset it, unless jobs with compute.gemm: openblas are to go on with the bits of old checkpoints",
                   "%s a rank; OPENBLAS_CORETYPE=%s chooses its kernels", describes, forced);
    else
        doctor_say(VERDICT_GOOD, "BLAS", NULL, "%s a rank", describes);
}

/* The cores that one rank may use, and those that the ranks of its node may use together. */
struct binding {
    int own, together;
};

/* Collective over node. */
static struct binding find_binding(const struct node *node)
{
    cpu_set_t own, together;
    CPU_ZERO(&own);
    if (sched_getaffinity(0, sizeof own, &own) != 0)
        log_warn("which cores a rank may use is not known: %s", strerror(errno));
    MPI_Allreduce(&own, &together, sizeof own, MPI_BYTE, MPI_BOR, node->comm);
    return (struct binding){.own = CPU_COUNT(&own), .together = CPU_COUNT(&together)};
}

static void say_cores(const struct node *node, struct binding binding)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (node->size > binding.together)
        doctor_say(VERDICT_WARNING, "cores",
                   "fewer ranks a node, or more cores: of the job (sbatch --cpus-per-task), or by another binding "
                   "(mpirun --bind-to core)",
                   "%d ranks may use %d of the %ld cores of this node together: they wait for each other", node->size,
                   binding.together, online);
    else
        doctor_say(VERDICT_GOOD, "cores", NULL, "%d rank%s on %ld cores of this node, %s; rank 0 may use %d of them",
                   node->size, node->size == 1 ? "" : "s", online, binding.own < online ? "bound" : "not bound",
                   binding.own);
}

/* What a save of the run in this directory takes; 0: not known. */
static double say_run(const char *directory)
{
    struct run_state state;
    struct error error;
    double save_s = 0;
    if (run_state_look(&state, directory, &error)) {
        struct lives_total total = lives_sum(&state.lives);
        struct text words;
        save_s = total.write_s;
        text_init(&words);
        text_append_seconds(&words, total.start_s);
        text_append(&words, ", a save ");
        text_append_seconds(&words, total.write_s);
        doctor_say(VERDICT_GOOD, "this run", NULL, "starts: %zu, interruptions: %d; a start takes %s",
                   state.lives.count, (int)total.interruptions, text_bytes(&words));
        text_release(&words);
    }
    run_state_release(&state);
    return save_s;
}

static int run(int count, char **words)
{
    struct error error;
    struct runtime runtime;
    struct node node;
    if (!flags_parse((const struct flag[]){{0}}, (struct flag_files){"a directory", 0, 1}, &count, words, &error))
        return command_misused(&command_doctor, "%s", error.text);
    const char *directory = count > 0 ? words[0] : ".", *launcher = find_launcher();
    if (!runtime_begin(&runtime, &(struct runtime_options){0}, &error))
        error_clear(&error); /* of fault points nothing is asked here, of kernels below */
    const struct world *world = &runtime.world;
    node_open(&node, world, 0);
    struct binding binding = find_binding(&node);
    if (world->rank == 0) {
        say_launcher(launcher, world, &node);
        say_mpi();
        say_io();
        say_hdf5();
        say_disk(directory);
        say_memory();
        doctor_say_limits();
        say_numerics();
        say_blas();
        say_cores(&node, binding);
        doctor_ask_slurm(say_run(directory));
        fflush(stdout);
    }
    node_close(&node);
    runtime_end(&runtime);
    return worst == VERDICT_BAD ? EXIT_FAILED : EXIT_FINISHED;
}

const struct command command_doctor = {
    .name = "doctor",
    .usage =
        "lockstep doctor [DIRECTORY]   what a job can expect here: MPI, disks, memory, cores, Slurm; with a run directory also "
        "its saves. Under mpirun or srun: of the ranks, too",
    .run = run,
    .parallel = true,
};
