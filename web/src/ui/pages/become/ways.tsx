/** The ways to show a licence: what each asks of the person, and of the engine. */
import type { Certificates, Wish } from '../../../model-certificates'
import { Field } from '../../parts/field'

export type Way = 'code' | 'lotw' | 'operators' | 'owner'

interface WayText {
  readonly label: string
  readonly note: (owner: string) => string
  readonly button: string
  /** What is still missing, with the name of its input. */
  readonly needs: (data: FormData) => { readonly field: string; readonly words: string } | null
  readonly go: (certificates: Certificates, wish: Wish, data: FormData) => Promise<void>
}

const text = (data: FormData, name: string) => String(data.get(name) ?? '').trim()

export const ways: Readonly<Record<Way, WayText>> = {
  code: {
    label: 'With a code from the owner',
    note: (owner) => `${owner} looks at your licence and gives you a code: at once an operator.`,
    button: 'Use the code',
    needs: (data) => {
      const code = text(data, 'code').replaceAll(/[\s-]/g, '')
      if (code === '') return { field: 'code', words: 'Type the code first.' }
      return /^[a-z2-7]{16}$/i.test(code) ? null : { field: 'code', words: 'A code has 16 letters and digits, without 0, 1, 8 and 9.' }
    },
    go: (certificates, wish, data) => certificates.redeem(wish, text(data, 'code')),
  },
  lotw: {
    label: 'With a Logbook of the World certificate',
    note: () => 'The .p12 file that TQSL saves. Its key signs once, in this browser, and is not kept.',
    button: 'Prove my licence',
    needs: (data) => {
      const file = data.get('file')
      return file instanceof File && file.size > 0 ? null : { field: 'file', words: 'Choose the .p12 file first.' }
    },
    go: async (certificates, wish, data) => {
      const file = data.get('file')
      if (file instanceof File) await certificates.proveByLotw(wish, file, String(data.get('password') ?? ''))
    },
  },
  operators: {
    label: 'Three operators here know me',
    note: () => 'Each of them gives their word in their own app. You collect the three.',
    button: 'Begin collecting',
    needs: () => null,
    go: (certificates, wish) => certificates.collectEndorsements(wish),
  },
  owner: {
    label: 'Ask the owner',
    note: (owner) => `${owner} sees your request and decides, when there is time.`,
    button: 'Ask',
    needs: (data) => (text(data, 'note') === '' ? { field: 'note', words: 'Write a word first: the owner decides by it.' } : null),
    go: (certificates, wish, data) => certificates.askOwner(wish, text(data, 'note')),
  },
}

interface FieldsProps {
  readonly way: Way
  readonly code: string
  readonly problemAt: (field: string) => string | undefined
}

export function WayFields({ way, code, problemAt }: FieldsProps) {
  switch (way) {
    case 'code':
      return (
        <Field label="The code" hint="16 letters and digits, in any case, with or without blanks." problem={problemAt('code')}>
          {(input) => <input {...input} class="input become-code" name="code" maxLength={24} autocomplete="off" autocapitalize="characters" spellcheck={false} defaultValue={code} />}
        </Field>
      )
    case 'lotw':
      return (
        <>
          <Field label="The .p12 file" problem={problemAt('file')}>
            {(input) => <input {...input} type="file" name="file" accept=".p12,.pfx,application/x-pkcs12" />}
          </Field>
          <Field label="Its password" hint="Empty if you gave none in TQSL.">
            {(input) => <input {...input} type="password" name="password" autocomplete="off" />}
          </Field>
        </>
      )
    case 'operators':
      return <p class="quiet">The request stays in this browser until you have all three, also when you close the page.</p>
    case 'owner':
      return (
        <Field label="A word to the owner" hint="Who you are, and where they can see your licence." problem={problemAt('note')}>
          {(input) => <textarea {...input} name="note" rows={3} maxLength={500} />}
        </Field>
      )
  }
}
