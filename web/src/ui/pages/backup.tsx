/** A calm request to keep a copy of the key, while that is still possible; and the form that makes it. */
import { useSignal } from '@preact/signals'
import { useModel } from '../context'
import { download } from '../download'
import { Button } from '../parts/button'
import { Field } from '../parts/field'
import { Notice } from '../parts/notice'
import { sentence } from '../words'
import './backup.css'

export function Backup() {
  const identity = useModel().identity.value
  const open = useSignal(false)
  if (identity === null || !identity.exportable || identity.backedUp) return null
  return (
    <Notice kind="warn">
      <p>Keep a copy of your key</p>
      <p>
        Your key is only in this browser. If the browser’s data is cleared or this machine is lost, so is the key, and nobody can
        make it again. A copy in a file takes half a minute.
      </p>
      {open.value ? (
        <BackupForm />
      ) : (
        <div class="buttons">
          <Button
            kind="main"
            onClick={() => {
              open.value = true
            }}
          >
            Save a copy
          </Button>
        </div>
      )}
    </Notice>
  )
}

export function BackupForm() {
  const model = useModel()
  const busy = useSignal(false)
  const problem = useSignal<{ field: 'first' | 'second'; words: string } | null>(null)

  const save = async (form: HTMLFormElement) => {
    const data = new FormData(form)
    const password = String(data.get('first') ?? '')
    problem.value = passwordProblem(password, String(data.get('second') ?? ''))
    if (problem.value !== null) {
      const input = form.elements.namedItem(problem.value.field)
      if (input instanceof HTMLElement) input.focus()
      return
    }
    busy.value = true
    try {
      const callsign = model.identity.value?.callsign ?? 'my'
      const file = await model.exportKey(password)
      if (file === null) problem.value = { field: 'first', words: 'The key can no longer leave this browser.' }
      else download(file, `${callsign.replaceAll('/', '-')}-key.p12`)
    } catch (failure) {
      problem.value = { field: 'first', words: sentence(failure, 'The file could not be made. Try again.') }
    } finally {
      busy.value = false
    }
  }

  const problemAt = (field: 'first' | 'second') => (problem.value?.field === field ? problem.value.words : undefined)
  return (
    <form
      class="backup"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!busy.value) void save(event.currentTarget)
      }}
    >
      <Field label="A password for the file" hint="At least 8 characters. Write it down: the file is useless without it." problem={problemAt('first')}>
        {(input) => <input {...input} type="password" name="first" autocomplete="new-password" />}
      </Field>
      <Field label="The same password again" problem={problemAt('second')}>
        {(input) => <input {...input} type="password" name="second" autocomplete="new-password" />}
      </Field>
      <div class="buttons">
        <Button kind="main" type="submit" disabled={busy.value}>
          {busy.value ? 'Making the file' : 'Save the .p12 file'}
        </Button>
      </div>
    </form>
  )
}

function passwordProblem(first: string, second: string): { field: 'first' | 'second'; words: string } | null {
  if (first.length < 8) return { field: 'first', words: 'Use at least 8 characters: whoever has the file and guesses the password has your key.' }
  if (first !== second) return { field: 'second', words: 'The two passwords differ. Type them again.' }
  return null
}
