/** The shells that there is a completion script for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The script for a shell, which asks `rotate complete` at each press of the key: it answers a line
 * a word, with what it is behind a tab, and `:files` where the shell is to offer files. Words are
 * handed over as arguments and never evaluated.
 */
export function scriptFor(shell: Shell): string {
  return SCRIPTS[shell];
}

// Bash 3.2 of macOS has neither mapfile nor compopt; bash-completion need not be there.
const BASH = `# bash completion for rotate
_rotate() {
  local current=\${COMP_WORDS[COMP_CWORD]} line file
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      [[ $current == = ]] && current=
      while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" complete --current="$current" -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
}
complete -F _rotate rotate keyturn`;

const ZSH = `#compdef rotate keyturn
_rotate() {
  local line files=0
  local -a found
  for line in "\${(@f)$("\${words[1]}" complete --current="\${(Q)words[CURRENT]}" -- "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#found )) && _describe -V rotate found
  if (( files )); then
    compset -P '--*='
    _files
  fi
}
if [[ $funcstack[1] == _rotate ]]; then
  _rotate "$@"
else
  compdef _rotate rotate keyturn
fi`;

const FISH = `# fish completion for rotate
function __rotate_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in ($program complete --current="$current" -- $words 2>/dev/null)
        if test "$line" = :files
            set -l option (string match -r -- '^--[a-z-]+=' "$current")
            for file in (__fish_complete_path (string replace -- "$option" '' "$current"))
                echo "$option$file"
            end
        else
            echo $line
        end
    end
end
complete -c rotate -f -a '(__rotate_complete)'
complete -c keyturn -f -a '(__rotate_complete)'`;

const POWERSHELL = `# PowerShell completion for rotate
Register-ArgumentCompleter -Native -CommandName rotate, keyturn -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    $rest = @($words | Select-Object -Skip 1)
    & $words[0] complete "--current=$wordToComplete" -- @rest 2>$null | ForEach-Object {
        if ($_ -eq ':files') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } else {
            $word, $about = $_ -split "\`t", 2
            if (-not $about) { $about = $word }
            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
        }
    }
}`;

const SCRIPTS: Record<Shell, string> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };
