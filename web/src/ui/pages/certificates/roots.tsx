/** Whom the owner trusts without anybody else's word, and which other authorities prove licences. */
import { useSignal } from '@preact/signals'
import type { AddedRoots, Effect, FoundInFile, Root } from '../../../model-certificates'
import { useAct, useAsked } from '../../asked'
import { useModel } from '../../context'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { Confirm } from '../../parts/confirm'
import { EffectView } from '../../parts/effect'
import { Choice, Field } from '../../parts/field'
import { Fingerprint } from '../../parts/fingerprint'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { routeHash } from '../../route'
import './roots.css'

export function RootsPage() {
  const model = useModel()
  const { isOwner } = model.session.value
  const asked = useAsked(() => model.certificates.roots(), [])
  const changed = useSignal<Changed | null>(null)
  const done = (words: string, effect: Effect, notAdded: readonly string[] = []) => {
    changed.value = { words, effect, notAdded }
    asked.again()
  }
  return (
    <>
      <p>
        Trust on this server begins with its roots, and goes on from there by people who vouch for each other. {isOwner ? 'The roots are your decision alone.' : `${model.server.value.owner} decides which they are.`}
      </p>
      {changed.value !== null && (
        <Notice role="status">
          <p>{changed.value.words}</p>
          {changed.value.notAdded.length > 0 && <p>Not added, because nobody here knows who signed it. Add its signer first:</p>}
          {changed.value.notAdded.map((hex) => (
            <Fingerprint key={hex} hex={hex} />
          ))}
          <EffectView effect={changed.value.effect} would={false} />
        </Notice>
      )}
      <Answer asked={asked} what="the roots">
        {({ anchors, licenceRoots }) => (
          <>
            <Panel title="Roots of trust">
              {anchors.length === 0 && <p class="quiet">There are none: nobody is trusted here.</p>}
              <ul class="roots">
                {anchors.map((root) => (
                  <RootItem key={root.fingerprint} root={root} licence={false} done={done} />
                ))}
              </ul>
            </Panel>
            <Panel title="Roots that prove licences">
              <p class="quiet">
                {licenceRoots.length === 0
                  ? 'None. With the root of Logbook of the World, its members can prove their licence here by their own certificate.'
                  : 'Whoever holds a certificate under one of these can prove a licence with it. They vouch for nobody.'}
              </p>
              <ul class="roots">
                {licenceRoots.map((root) => (
                  <RootItem key={root.fingerprint} root={root} licence done={done} />
                ))}
              </ul>
            </Panel>
          </>
        )}
      </Answer>
      {isOwner && <AddRoots done={done} />}
    </>
  )
}

interface Changed {
  readonly words: string
  readonly effect: Effect
  /** Fingerprints. */
  readonly notAdded: readonly string[]
}

interface RootItemProps {
  readonly root: Root
  readonly licence: boolean
  readonly done: (words: string, effect: Effect) => void
}

function RootItem({ root, licence, done }: RootItemProps) {
  const model = useModel()
  const { isOwner } = model.session.value
  const asking = useSignal(false)
  const act = useAct()
  const remove = () =>
    void act.run(async () => {
      const effect = await model.certificates.removeRoot(root.fingerprint)
      done(`${root.name} is no root any more.`, effect)
    })
  return (
    <li class="root">
      {licence ? (
        <p class="root-name">{root.name}</p>
      ) : (
        <a class="root-call" href={routeHash({ page: 'certificate', fingerprint: root.fingerprint })}>
          <Call label={root.name} />
        </a>
      )}
      {root.own && <p>The owner of this server. It stays as long as the server is theirs.</p>}
      {root.note !== '' && <p>{root.note}</p>}
      <Fingerprint hex={root.fingerprint} />
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      {isOwner && !root.own && !asking.value && (
        <div class="buttons">
          <Button
            kind="danger"
            label={`Remove ${root.name}`}
            onClick={() => {
              asking.value = true
            }}
          >
            Remove
          </Button>
        </div>
      )}
      {asking.value && (
        <Notice kind="danger">
          <p>Remove {root.name}?</p>
          <p>
            {licence
              ? 'Certificates under it then prove no licence here. Whoever has one of yours keeps it.'
              : 'Whoever is trusted only by way of this root is trusted no more. You can add it again from its file.'}
          </p>
          <Confirm
            callsign={licence ? 'REMOVE' : root.name}
            words="Remove the root"
            working="Removing"
            cancel="Keep it"
            busy={act.busy}
            onConfirm={remove}
            onCancel={() => {
              asking.value = false
            }}
          />
        </Notice>
      )}
    </li>
  )
}

/** The file is read first; nothing is kept before the fingerprints were compared. */
function AddRoots({ done }: { done: (words: string, effect: Effect, notAdded: readonly string[]) => void }) {
  const { certificates } = useModel()
  const read = useSignal<{ readonly file: File; readonly password: string; readonly content: FoundInFile } | null>(null)
  const act = useAct('The file could not be read. Choose another.')

  const open = (form: HTMLFormElement) => {
    const data = new FormData(form)
    const file = data.get('file')
    if (!(file instanceof File && file.size > 0)) return act.complain('Choose the file first.')
    const password = String(data.get('password') ?? '')
    void act.run(async () => {
      read.value = { file, password, content: await certificates.readRoots(file, password) }
    })
  }

  return (
    <Panel title="Add a root">
      {read.value === null ? (
        <form
          class="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            open(event.currentTarget)
          }}
        >
          <p>From a file that you have from its owner. First you see what is in it.</p>
          <Field label="A certificate file" hint="PEM, DER (.cer, .crt) or .p12." problem={act.problem ?? undefined}>
            {(input) => <input {...input} type="file" name="file" accept=".pem,.crt,.cer,.der,.p12,.pfx,application/x-pkcs12,application/x-x509-ca-cert" />}
          </Field>
          <Field label="Its password" hint="Only a .p12 file has one.">
            {(input) => <input {...input} type="password" name="password" autocomplete="off" />}
          </Field>
          <div class="buttons">
            <Button type="submit" disabled={act.busy}>
              {act.busy ? 'Reading the file' : 'Look into the file'}
            </Button>
          </div>
        </form>
      ) : (
        <Accept
          content={read.value.content}
          accept={async (note, fingerprints) => {
            const { file, password } = read.peek() ?? {}
            if (file === undefined || password === undefined) return
            const outcome = await certificates.addRoots(file, password, note, fingerprints)
            read.value = null
            done(wordsFor(outcome), outcome.effect, outcome.notAdded)
          }}
          cancel={() => {
            read.value = null
          }}
        />
      )}
    </Panel>
  )
}

function wordsFor({ added }: AddedRoots): string {
  if (added === 0) return 'No root was added.'
  return added === 1 ? '1 root was added.' : `${added} roots were added.`
}

interface AcceptProps {
  readonly content: FoundInFile
  readonly accept: (note: string, fingerprints: readonly string[]) => Promise<void>
  readonly cancel: () => void
}

function Accept({ content: { found, unread }, accept, cancel }: AcceptProps) {
  const chosen = useSignal<readonly string[]>([])
  const act = useAct()
  const submit = (form: HTMLFormElement) => {
    const note = String(new FormData(form).get('note') ?? '').trim()
    if (chosen.value.length === 0) return act.complain('Tick what you compared and want to add, or leave it.')
    void act.run(() => accept(note, chosen.value))
  }
  return (
    <form
      class="roots-accept"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit(event.currentTarget)
      }}
    >
      <p>
        {found.length === 0
          ? 'There is no certificate in this file that could be a root here.'
          : 'Compare each fingerprint with what its owner reads to you, or with what is printed by somebody you trust. Tick only what matches.'}
      </p>
      {found.map((root) => (
        <div class="root" key={root.fingerprint}>
          <Choice
            type="checkbox"
            name={`accept-${root.fingerprint.slice(0, 8)}`}
            label={root.name}
            checked={chosen.value.includes(root.fingerprint)}
            onChoose={(checked) => {
              const others = chosen.value.filter((one) => one !== root.fingerprint)
              chosen.value = checked ? [...others, root.fingerprint] : others
            }}
          >
            {root.kind === 'station' ? 'A station: everybody it vouches for, step by step, becomes trusted here.' : 'Proves licences, and vouches for nobody.'}
            {!root.selfSigned && ' Somebody else signed it; those above it are not added with it.'}
          </Choice>
          <Fingerprint hex={root.fingerprint} />
        </div>
      ))}
      {unread.length > 0 && (
        <>
          <p>Not to be used as a root here:</p>
          <ul class="roots-unread">
            {unread.map(({ which, why }) => (
              <li key={which}>
                {/^\d+$/.test(which) ? `Certificate ${which} in the file` : which}: {why}.
              </li>
            ))}
          </ul>
        </>
      )}
      {found.length > 0 && (
        <Field label="A note" hint="Where you have it from, and how you compared.">
          {(input) => <input {...input} name="note" maxLength={200} autocomplete="off" />}
        </Field>
      )}
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      <div class="buttons">
        {found.length > 0 && (
          <Button kind="main" type="submit" disabled={act.busy}>
            {act.busy ? 'Adding' : 'They match: add'}
          </Button>
        )}
        <Button onClick={cancel}>{found.length > 0 ? 'Leave it' : 'Another file'}</Button>
      </div>
    </form>
  )
}
