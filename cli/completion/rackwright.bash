# Bash completion of rackwright: source this file, or put it into
# ~/.local/share/bash-completion/completions/rackwright.

_rackwright_ids() { # ids of a kind, as `rackwright catalog list KIND` prints them
  rackwright catalog list "$1" 2>/dev/null
}

_rackwright() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands="review profile merge evaluate fabric cabling export predict validate calibrate bench import catalog check new doctor"
  local workload="--model --traffic --set --seed"
  local environment="--air-inlet --tcs-supply --fws-supply --dew-point --tcs-flow --gpu-power-cap --rack-power-cap"
  local options="" command="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word && break ;; esac
  done
  COMPREPLY=()
  case $previous in
    --racks | --rack) mapfile -t COMPREPLY < <(compgen -W "all $(_rackwright_ids racks)" -- "$current"); return ;;
    --device) mapfile -t COMPREPLY < <(compgen -W "$(_rackwright_ids devices)" -- "$current"); return ;;
    --design) mapfile -t COMPREPLY < <(compgen -W "$(_rackwright_ids fabrics)" -- "$current"); return ;;
    --layout) mapfile -t COMPREPLY < <(compgen -W "all $(_rackwright_ids layouts)" -- "$current"); return ;;
    --model) mapfile -t COMPREPLY < <(compgen -f -W "$(_rackwright_ids models)" -- "$current"); return ;;
    --to) mapfile -t COMPREPLY < <(compgen -W "perfetto csv openmetrics chakra requirements" -- "$current"); return ;;
    --backend) mapfile -t COMPREPLY < <(compgen -W "analytical auto cuda host" -- "$current"); return ;;
    --rank-by)
      mapfile -t COMPREPLY < <(compgen -W "tokens_per_s_per_mw tokens_per_joule tokens_per_s_per_rack racks provisioned_w floor_m2" -- "$current")
      return ;;
    --out | --data-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
  esac
  case $command in
    "") mapfile -t COMPREPLY < <(compgen -W "$commands --help --version --data-dir" -- "$current"); return ;;
    review) options="$workload --workload $environment --racks --out --rank-by --demand --json" ;;
    profile) options="$workload --backend --device --scale-up-domain --gpus --no-nvml --no-cupti --plan --output" ;;
    merge) options="--output" ;;
    evaluate) options="$workload --workload $environment --rack --json --loop --branch-table --single-line --failure-table --power-table --pairs --feed-map" ;;
    fabric) options="--design --nodes --json --collective --size --ranks --ranks-per-node --domain --skew --sharp --device --traffic --routing --failed --seed --growth --rack" ;;
    cabling) options="--design --nodes --layout --rack --collectives --out --as-built --names --json" ;;
    export) options="--to --output --first-step --steps --device --previous --guard-band --racks" ;;
    validate) options="--device --source --quantity --rows --list --json" ;;
    predict) options="--device --slo --json" ;;
    calibrate) options="--device --out" ;;
    bench) options="kernels collectives transient --op --gpus --device --design --domain --moe-model --buffers --graph --frequency --duty --seconds --power-ceiling --peak-power --start-at --plan --backend --filter --workload --batch --context --prefill --warm --samples --warm-up --time-limit --power-window --no-bounds --seed --json --format --list" ;;
    import) options="kineto nsys chakra nccl-tests nvidia-smi dcgm vllm-bench nccl-topo nccl-graph nvidia-smi-topo ibnetdiscover --list --output --id --device" ;;
    catalog) options="list show check" ;;
    check) options="" ;;
    new) options="rack workload --from --output" ;;
    doctor) options="--require-gpu --json" ;;
  esac
  if [[ $current == -* || $command == catalog || $command == new || $command == bench ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options --help --data-dir" -- "$current")
  elif [[ $command == review || $command == profile || $command == evaluate ]]; then
    mapfile -t COMPREPLY < <(compgen -f -W "$(_rackwright_ids workloads)" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _rackwright rackwright
