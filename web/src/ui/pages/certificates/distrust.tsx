/** Whom the owner distrusts, whether others are told, and what other owners advise. Nothing here decides by itself. */
import { useSignal } from '@preact/signals'
import type { Advice, AdviceList, Blacklisted, Effect, OwnBlacklist } from '../../../model-certificates'
import { useAct, useAsked } from '../../asked'
import { useModel } from '../../context'
import { count } from '../../format'
import { Answer } from '../../parts/answer'
import { Button } from '../../parts/button'
import { Call } from '../../parts/call'
import { EffectView } from '../../parts/effect'
import { Fingerprint } from '../../parts/fingerprint'
import { Notice } from '../../parts/notice'
import { Panel } from '../../parts/panel'
import { routeHash } from '../../route'
import { Ask, decidedWords } from './blacklist'
import './distrust.css'

/** What was just done about somebody's advice. */
interface Done {
  readonly words: string
  readonly effect: Effect | null
}

export function Distrust() {
  const { certificates } = useModel()
  const advice = useAsked(() => certificates.advice(), [])
  const own = useAsked(() => certificates.blacklisted(), [])
  const done = useSignal<Done | null>(null)
  const decided = (what: Done) => {
    done.value = what
    advice.again()
    own.again()
  }
  return (
    <>
      {done.value !== null && (
        <Notice role="status">
          <p>{done.value.words}</p>
          {done.value.effect !== null && <EffectView effect={done.value.effect} would={false} />}
        </Notice>
      )}
      <Panel title="What other owners say">
        <Answer asked={advice} what="what other owners say">
          {(list) => <Others list={list} decided={decided} />}
        </Answer>
      </Panel>
      <Panel title="Your blacklist">
        <Answer asked={own} what="your blacklist">
          {(blacklist) => <Own blacklist={blacklist} again={own.again} />}
        </Answer>
      </Panel>
    </>
  )
}

function Others({ list: { advice, leftOut }, decided }: { list: AdviceList; decided: (what: Done) => void }) {
  const known = advice.filter(({ fingerprint }) => fingerprint !== null)
  const unknown = advice.filter(({ fingerprint }) => fingerprint === null)
  return (
    <>
      {advice.length === 0 && <p>No other owner says that they distrust somebody.</p>}
      {advice.length > 0 && <p class="quiet">This is their word. Nothing changes here until you decide so.</p>}
      {known.length > 0 && (
        <ul class="advice-list">
          {known.map((one) => (
            <li key={one.id}>
              <Piece advice={one} decided={decided} />
            </li>
          ))}
        </ul>
      )}
      {unknown.length > 0 && (
        <details>
          <summary>{count(unknown.length, 'word')} about certificates that nobody here ever saw</summary>
          <ul class="advice-list">
            {unknown.map((one) => (
              <li key={one.id}>
                <Piece advice={one} decided={decided} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {leftOut > 0 && <p class="quiet">{count(leftOut, 'more word')} of theirs {leftOut === 1 ? 'is' : 'are'} not kept: their lists are too long.</p>}
    </>
  )
}

const reach: Record<Advice['scope'], string> = {
  certificate: 'One certificate',
  key: 'Every certificate of the key',
  subtree: 'The key, and everybody below it',
}

function Piece({ advice, decided }: { advice: Advice; decided: (what: Done) => void }) {
  const model = useModel()
  const asking = useSignal(false)
  const act = useAct()
  const { id, by, scope, fingerprint, reason, own } = advice
  const name = nameOf(by)
  const whom = advice.callsign ?? 'somebody'
  const dismiss = () =>
    void act.run(async () => {
      await model.certificates.dismissAdvice(id)
      decided({ words: `What ${name} says about ${whom} is not shown again.`, effect: null })
    })
  const blacklist = (chosen: Advice['scope'], why: string) =>
    void act.run(async () => {
      if (fingerprint === null) return
      const effect = await model.certificates.blacklist(fingerprint, chosen, why)
      decided({ words: `${whom} is blacklisted, by your decision. You can take it back at the certificate.`, effect })
    })
  return (
    <article class="advice" aria-label={`${name} distrusts ${whom}`}>
      <Call label={whom} plain={advice.callsign === null} />
      <p>
        <strong>
          {name} distrusts {whom}
        </strong>
        {reason !== '' && ':'}
      </p>
      {reason !== '' && <blockquote class="advice-reason">{reason}</blockquote>}
      <p class="quiet">
        {reach[scope]}. {worth(advice)}
      </p>
      {own && <p>It is your own key, or this server’s. Ask {name} why.</p>}
      {fingerprint === null && advice.target !== null && <Fingerprint hex={advice.target} />}
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
      {asking.value && fingerprint !== null ? (
        <Ask
          callsign={whom}
          fingerprint={fingerprint}
          advised={{ scope, reason: reason === '' ? `${name} advised it` : `${name}: ${reason}` }}
          busy={act.busy}
          blacklist={blacklist}
          cancel={() => {
            asking.value = false
          }}
        />
      ) : (
        <div class="buttons">
          {fingerprint !== null && !own && (
            <Button
              label={`Decide about ${whom}, whom ${name} distrusts`}
              onClick={() => {
                asking.value = true
              }}
            >
              Decide about {whom}
            </Button>
          )}
          {fingerprint !== null && (
            <a class="button" href={routeHash({ page: 'certificate', fingerprint })}>
              Look at the certificate
            </a>
          )}
          <Button label={`Dismiss what ${name} says about ${whom}`} disabled={act.busy} onClick={dismiss}>
            Dismiss
          </Button>
        </div>
      )}
    </article>
  )
}

/** A callsign that nobody proved is shown as what somebody says. */
function nameOf({ callsign, proven }: Advice['by']): string {
  if (callsign === null) return 'Somebody'
  return proven ? callsign : `Somebody who says to be ${callsign}`
}

/** What the word is worth, and what hangs on it. */
function worth({ by, trusted, fingerprint }: Advice): string {
  const said = by.verified
    ? `${by.callsign ?? 'Its owner'}’s server is verified.`
    : by.proven
      ? 'Nobody trusted here vouches for that server.'
      : 'Nothing is proved: anybody on the network can say so.'
  return fingerprint === null ? said : `${said} ${trusted ? 'Trusted here now.' : 'Not trusted here anyway.'}`
}

function Own({ blacklist: { entries, published }, again }: { blacklist: OwnBlacklist; again: () => void }) {
  const model = useModel()
  const act = useAct()
  const decide = (publish: boolean) =>
    void act.run(async () => {
      await model.certificates.publishBlacklist(publish)
      again()
    })
  return (
    <>
      {entries.length === 0 ? (
        <p>You distrust nobody. You can blacklist a certificate on its own page.</p>
      ) : (
        <ul class="advice-list">
          {entries.map((entry) => (
            <li key={`${entry.scope} ${entry.keyId ?? ''} ${entry.fingerprint ?? ''}`}>
              <OwnEntry entry={entry} />
            </li>
          ))}
        </ul>
      )}
      {published ? (
        <p>
          <strong>Published.</strong> Every server that links to this one is told this list with your reasons, now and when it changes. Their owners decide for themselves. It never
          crosses amateur frequencies.
        </p>
      ) : (
        <p>
          <strong>Not published.</strong> The list stays on this server. If you publish it, every server that links to this one, whoever runs it, is told whom you distrust and why,
          in your words. Read your reasons first: they are no longer yours alone then.
        </p>
      )}
      <div class="buttons">
        <Button disabled={act.busy} onClick={() => decide(!published)}>
          {published ? 'Stop publishing' : 'Publish my blacklist'}
        </Button>
      </div>
      {act.problem !== null && (
        <Notice kind="danger" role="alert">
          <p>{act.problem}</p>
        </Notice>
      )}
    </>
  )
}

function OwnEntry({ entry: { scope, fingerprint, callsign, reason } }: { entry: Blacklisted }) {
  return (
    <div class="advice">
      <Call label={callsign ?? 'Not known here any more'} plain={callsign === null} />
      <p>{decidedWords[scope]}.</p>
      {reason !== '' && <blockquote class="advice-reason">{reason}</blockquote>}
      {fingerprint !== null && <a href={routeHash({ page: 'certificate', fingerprint })}>Look at the certificate{callsign !== null && ` of ${callsign}`}</a>}
    </div>
  )
}
