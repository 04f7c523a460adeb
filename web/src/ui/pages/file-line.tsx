/** A file on its way: what it is, how far, how fast, and what can be done about it. */
import { useSignal } from '@preact/signals'
import type { FileEntry, Person } from '../../model'
import { useModel } from '../context'
import { bytes, speed, timeLeft } from '../format'
import { Button } from '../parts/button'
import { Fingerprint } from '../parts/fingerprint'
import { Icon } from '../parts/icons'
import { sentence } from '../words'
import './file-line.css'

export function FileLine({ file, peer }: { file: FileEntry; peer: Person }) {
  return (
    <div class="file">
      <p class="file-head">
        <Icon name="file" />
        <span class="file-name">{file.name}</span>
        <span class="file-size">{bytes(file.size)}</span>
      </p>
      <Progress file={file} />
      <p class={`file-words file-${file.state}`}>{fileWords(file, peer)}</p>
      <Acts file={file} peer={peer} />
      {file.state === 'complete' && file.sha256 !== null && (
        <details class="file-sum">
          <summary>Fingerprint (SHA-256)</summary>
          <Fingerprint hex={file.sha256} />
        </details>
      )}
    </div>
  )
}

function Progress({ file }: { file: FileEntry }) {
  const label = `${file.name}, progress`
  if (file.state === 'checking') return <progress aria-label={label} />
  if (file.state !== 'moving') return null
  return <progress aria-label={label} value={file.moved} max={Math.max(file.size, 1)} />
}

function fileWords(file: FileEntry, peer: Person): string {
  const { label } = peer
  switch (file.state) {
    case 'offered':
      if (file.mine) return `Waiting for ${label} to accept it.`
      return file.tooLarge ?? `${label} offers you this file.`
    case 'moving':
      return `${bytes(file.moved)} of ${bytes(file.size)}, ${speed(file.speed)}, ${timeLeft(file.secondsLeft)}`
    case 'checking':
      return 'All of it is here. Comparing the fingerprint.'
    case 'complete':
      if (file.mine) return 'It arrived complete: the fingerprint matches.'
      return `The file arrived complete: its fingerprint matches.${file.savedToDisk ? ' It is saved where you chose.' : ''}`
    case 'refused':
      return file.reason ?? (file.mine ? `${label} did not want this file.` : 'You refused this file.')
    case 'cancelled':
      return file.reason ?? 'Stopped before it was complete.'
    case 'failed':
      return file.reason ?? 'It did not arrive complete. Send it again.'
  }
}

function Acts({ file, peer }: { file: FileEntry; peer: Person }) {
  const model = useModel()
  const problem = useSignal<string | null>(null)

  const accept = async () => {
    problem.value = null
    try {
      await model.acceptFile(peer.id, file.id)
    } catch (failure) {
      problem.value = sentence(failure, 'The file was not accepted. Accept it again.')
    }
  }
  const cancel = () => model.cancelFile(peer.id, file.id)

  if (file.state === 'offered' && !file.mine) {
    return (
      <>
        {problem.value !== null && (
          <p class="file-failed" role="alert">
            {problem}
          </p>
        )}
        <div class="buttons">
          {file.tooLarge === null && (
            <Button kind="main" label={`Accept ${file.name}`} onClick={() => void accept()}>
              Accept
            </Button>
          )}
          <Button label={`Refuse ${file.name}`} onClick={cancel}>
            Refuse
          </Button>
        </div>
      </>
    )
  }
  if (file.state === 'offered' || file.state === 'moving') {
    return (
      <div class="buttons">
        <Button label={`Cancel ${file.name}`} onClick={cancel}>
          Cancel
        </Button>
      </div>
    )
  }
  if (file.state === 'complete' && file.url !== null && !file.mine) {
    return (
      <div class="buttons">
        <a class="button button-main" href={file.url} download={file.name}>
          Save the file
        </a>
      </div>
    )
  }
  return null
}
