/** The sheet to hang up beside the access point. Only paper shows it. */
import { useModel } from '../context'
import { Qr } from '../parts/qr'
import { serverName } from '../words'
import './poster.css'

export function Poster() {
  const model = useModel()
  const server = model.server.value
  const [best = ''] = server.addresses
  return (
    <section class="poster" aria-hidden="true">
      <p class="poster-title">No internet? Meet here.</p>
      <p class="poster-lead">Write and pass files between phones and computers, over this network alone.</p>
      <Qr address={best} net={model.session.value.net} />
      <ol>
        <li>
          Join the Wi-Fi <span class="poster-blank" />
        </li>
        <li>Scan the code with your phone’s camera.</li>
        <li>
          Or type this address in a browser: <strong>{best}</strong>
        </li>
      </ol>
      <p class="poster-foot">
        {serverName(server)}
        {server.ownerName !== null && `, ${server.ownerName}`}
        {server.ownerGrid !== null && `, ${server.ownerGrid}`}. Free to use. Guests are welcome.
      </p>
    </section>
  )
}
