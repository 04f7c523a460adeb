import { routeHash } from '../route'
import { PageTitle } from '../shell/page-title'
import './licence.css'

/** For guests: what the licence is, and honestly how to get one. Readable without the internet. */
export function Licence() {
  return (
    <div class="page licence">
      <PageTitle>Become an operator</PageTitle>
      <div class="prose">
        <p class="lead">
          Here, licensed radio amateurs start calls, and guests answer them. The licence is what makes the difference, because an
          operator answers for what a station sends.
        </p>
        <h2>What the licence is</h2>
        <p>
          A personal permit from your country to use amateur radio: to build and run your own station, to talk around the world
          without any network in between, and to help when networks fail. You pass one examination about rules, safety and a
          little electricity. The first class takes most people a few weeks of evenings. Children pass it too.
        </p>
        <h2>How to get it</h2>
        <ol>
          <li>Ask an operator here. Most are glad to be asked, and many teach.</li>
          <li>Find a club near you. It knows the next course and the next examination.</li>
          <li>Pass the examination, receive your callsign, and come back with it.</li>
        </ol>
        <p>These addresses need the internet. Write one down for later:</p>
        <dl class="addresses">
          <dt>Any country, by its national society</dt>
          <dd>www.iaru.org</dd>
          <dt>United States</dt>
          <dd>www.arrl.org/getting-licensed</dd>
          <dt>United Kingdom</dt>
          <dd>rsgb.org</dd>
          <dt>Germany</dt>
          <dd>www.darc.de</dd>
        </dl>
        <h2>Already licensed?</h2>
        <p>
          <a href={routeHash({ page: 'become', text: null })}>Get your certificate</a>. If you have a key in a .p12 file, bring it under Station. Both need a page
          whose address starts with https or with localhost: <a href={routeHash({ page: 'trust' })}>the way to the secure address</a>.
        </p>
      </div>
    </div>
  )
}
