// cajal completion: what bash, zsh and fish need to complete commands, options and their values.
// Options are asked from `cajal COMMAND --help`, so that they are listed in one place.
#include "cli.h"

#include <stdio.h>
#include <string.h>

// Values of options that are names.
static const struct {
    const char *option, *values;
} values[] = {
    {"data", "auto mnist fashion-mnist cifar10 digits"},
    {"optimizer",
     "sgd adagrad adadelta rmsprop adam adamw adamax nadam ftrl lion lamb adafactor muon"},
    {"augment", "random_flip random_crop random_translation random_rotation random_zoom "
                "random_contrast random_brightness zero_padding2d"},
    {"dtype", "float32 mixed_bfloat16"},
    {"metric", "l1 l2"},
    {"weights", "uniform distance"},
    {"loss", "sparse_categorical_crossentropy categorical_crossentropy binary_crossentropy "
             "binary_focal_crossentropy categorical_focal_crossentropy "
             "categorical_generalized_cross_entropy kl_divergence poisson mean_squared_error "
             "mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error "
             "huber log_cosh cosine_similarity hinge squared_hinge categorical_hinge dice tversky "
             "circle ctc"},
};
enum { VALUE_COUNT = sizeof values / sizeof *values };

static void print_bash(void)
{
    printf("_cajal() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W \"");
    for (const command *c = commands; c->name; c++)
        printf("%s ", c->name);
    printf("\" -- \"$word\"))\n        return\n    fi\n    case $before in\n");
    for (int i = 0; i < VALUE_COUNT; i++)
        printf("    --%s) COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n",
               values[i].option, values[i].values);
    printf("    esac\n"
           "    if [[ $word == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$(cajal \"${COMP_WORDS[1]}\" --help |"
           " grep -o -- '--[a-z-]*')\" -- \"$word\"))\n"
           "    else\n"
           "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "    fi\n"
           "}\n"
           "complete -o filenames -F _cajal cajal\n");
}

static void print_zsh(void)
{
    printf("#compdef cajal\n"
           "_cajal() {\n"
           "    if (( CURRENT == 2 )); then\n"
           "        local -a commands\n"
           "        commands=(\n");
    for (const command *c = commands; c->name; c++)
        printf("            '%s:%s'\n", c->name, c->help);
    printf("        )\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    case ${words[CURRENT-1]} in\n");
    for (int i = 0; i < VALUE_COUNT; i++)
        printf("    --%s) compadd %s; return ;;\n", values[i].option, values[i].values);
    printf("    esac\n"
           "    if [[ ${words[CURRENT]} == -* ]]; then\n"
           "        compadd -- ${(f)\"$(cajal ${words[2]} --help | grep -o -- '--[a-z-]*')\"}\n"
           "    else\n"
           "        _files\n"
           "    fi\n"
           "}\n"
           "_cajal \"$@\"\n");
}

static void print_fish(void)
{
    printf("complete -c cajal -e\n");
    for (const command *c = commands; c->name; c++) {
        printf("complete -c cajal -n __fish_use_subcommand -f -a %s -d '%s'\n", c->name, c->help);
        printf("complete -c cajal -n '__fish_seen_subcommand_from %s' "
               "-a '(cajal %s --help | string match -ra -- \"--[a-z-]+\")'\n",
               c->name, c->name);
    }
    for (int i = 0; i < VALUE_COUNT; i++)
        printf("complete -c cajal -l %s -x -a '%s'\n", values[i].option, values[i].values);
}

static const struct {
    const char *name;
    void (*print)(void);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

int run_completion(int argc, char **argv)
{
    const char *shell = "bash";
    const int done = read_options(find_command("completion"), NULL, 0, argc, argv, 0, 1, &shell);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print();
            return EXIT_DONE;
        }
    fputs("cajal completion: bash, zsh and fish are known, not \"", stderr);
    print_text(shell, stderr);
    fputs("\"\n", stderr);
    return EXIT_USAGE;
}
