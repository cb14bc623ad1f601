# Completion of moe-sweep for bash: the program is asked at each Tab.
_moe_sweep_complete() {
    local words=() n=0 i word
    # bash splits a word at each =, and completes what stands behind it; the program is asked with whole words.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((n > 1)) && [[ $word == '=' || ${COMP_WORDS[i - 1]} == '=' ]]; then
            words[n - 1]+=$word
        else
            words[n++]=$word
        fi
    done
    local current=${words[n - 1]} space=true IFS=$'\013'
    compopt +o nospace 2> /dev/null && space=false
    COMPREPLY=($(
        _CLAP_IFS="$IFS" _CLAP_COMPLETE_INDEX="$((n - 1))" _CLAP_COMPLETE_COMP_TYPE="$COMP_TYPE" \
            _CLAP_COMPLETE_SPACE="$space" VARIABLE=bash COMPLETER -- "${words[@]}"
    )) || { unset COMPREPLY; return; }
    if [[ $space == false && ${COMPREPLY-} =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
    if [[ $current == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*=}"}"}")
    fi
}
complete -o nospace -o bashdefault -o nosort -F _moe_sweep_complete moe-sweep 2> /dev/null ||
    complete -o nospace -o bashdefault -F _moe_sweep_complete moe-sweep
