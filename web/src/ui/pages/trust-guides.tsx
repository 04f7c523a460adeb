/** Each device's own words on how it comes to trust a certificate, and how it stops. */
import type { ComponentChildren } from 'preact'
import type { Device } from '../device'

export interface Guide {
  /** In the list of devices. */
  readonly name: string
  /** Begins the sentence "… does not trust this server's address yet". */
  readonly subject: string
  readonly file: { readonly href: string; readonly words: string }
  /** Three; the first is followed by the button that fetches the file. */
  readonly steps: readonly ComponentChildren[]
  /** What may be amiss when the steps are done and there is still no trust. */
  readonly checks: readonly ComponentChildren[]
  readonly removal: ComponentChildren
}

/** The certificate in a profile, which Apple's settings can install and remove. */
const profile = { href: '/trust/ham-server.mobileconfig', words: 'Download the profile' }
const certificate = { href: '/trust/ca.crt', words: 'Download the certificate' }

/** The way through menus: `Settings › General › About`. */
function Way({ to }: { to: readonly string[] }) {
  return <strong>{to.join(' › ')}</strong>
}

const keepTheFile = 'If the browser holds the file back because the page is not secure, choose to keep it.'
const restart = 'Close every window of the browser and open it again.'

export const guides: Readonly<Record<Device, Guide>> = {
  'apple-mobile': {
    name: 'iPhone or iPad',
    subject: 'Your iPhone or iPad',
    file: profile,
    steps: [
      'In Safari, download the profile and allow it. From another browser, open this page in Safari first.',
      <>
        Open <Way to={['Settings', 'General', 'VPN & Device Management']} />. Tap the ham-server profile, then Install.
      </>,
      <>
        Go on to <Way to={['Settings', 'General', 'About', 'Certificate Trust Settings']} /> and switch the certificate on. Then come
        back here.
      </>,
    ],
    checks: [
      <>
        The switch of the third step is on, under <Way to={['About', 'Certificate Trust Settings']} />. Installing alone is not enough.
      </>,
    ],
    removal: (
      <>
        Under <Way to={['Settings', 'General', 'VPN & Device Management']} />, tap the profile and choose Remove Profile.
      </>
    ),
  },
  android: {
    name: 'Android',
    subject: 'Your phone',
    file: certificate,
    steps: [
      `Download the certificate. ${keepTheFile}`,
      <>
        Open{' '}
        <Way to={['Settings', 'Security & privacy', 'More security & privacy', 'Encryption & credentials', 'Install a certificate', 'CA certificate']} />
        . Makers order this differently: a search in the settings for “CA certificate” finds it.
      </>,
      'Choose Install anyway, unlock the phone, and pick ham-server-ca.crt among the downloads. Then come back here.',
    ],
    checks: [
      <>
        ham-server is listed under <Way to={['Encryption & credentials', 'Trusted credentials', 'User']} />.
      </>,
      <>
        In Firefox for Android: open <Way to={['Settings', 'About Firefox']} />, tap the logo five times, go back to{' '}
        <Way to={['Settings', 'Secret Settings']} /> and switch on “Use third party CA certificates”.
      </>,
    ],
    removal: (
      <>
        Under <Way to={['Settings', 'Security & privacy', 'Encryption & credentials', 'User credentials']} />, choose ham-server and
        remove it.
      </>
    ),
  },
  windows: {
    name: 'Windows',
    subject: 'Your computer',
    file: certificate,
    steps: [
      `Download the certificate. ${keepTheFile}`,
      <>
        Open the file ham-server-ca.crt. Choose <Way to={['Install Certificate', 'Current User', 'Next']} />.
      </>,
      <>
        Choose <Way to={['Place all certificates in the following store', 'Browse', 'Trusted Root Certification Authorities']} />,
        then Next and Finish. Answer the question of Windows with Yes.
      </>,
    ],
    checks: ['The store was chosen by hand in the third step. Left to itself, Windows picks another.', restart],
    removal: (
      <>
        Start “Manage user certificates”, open <Way to={['Trusted Root Certification Authorities', 'Certificates']} /> and delete
        ham-server.
      </>
    ),
  },
  mac: {
    name: 'Mac',
    subject: 'Your Mac',
    file: profile,
    steps: [
      'Download the profile.',
      'Open the file ham-server.mobileconfig among the downloads. The Mac then asks you to look at it in the settings.',
      <>
        Open <Way to={['System Settings', 'General', 'Device Management']} />, double-click the ham-server profile, then Install, with
        the Mac’s password.
      </>,
    ],
    checks: [
      <>
        In the app Keychain Access, open the ham-server certificate. Under Trust, “When using this certificate” says Always Trust.
      </>,
      restart,
    ],
    removal: (
      <>
        Under <Way to={['System Settings', 'General', 'Device Management']} />, choose the profile and press the minus button.
      </>
    ),
  },
  linux: {
    name: 'Linux or ChromeOS',
    subject: 'Your browser',
    file: certificate,
    steps: [
      `Download the certificate. ${keepTheFile}`,
      <>
        In Chromium or Chrome, open <Way to={['Settings', 'Privacy and security', 'Security', 'Manage certificates']} />, then{' '}
        <Way to={['Custom', 'Installed by you']} />. Older ones call it Authorities.
      </>,
      'Beside Trusted certificates choose Import, and pick ham-server-ca.crt. If you are asked what for, tick identifying websites.',
    ],
    checks: ['The certificate was imported as trusted, and for identifying websites.', restart],
    removal: (
      <>
        Under <Way to={['Settings', 'Privacy and security', 'Security', 'Manage certificates', 'Custom', 'Installed by you']} />,
        delete ham-server.
      </>
    ),
  },
  firefox: {
    name: 'Firefox on a computer',
    subject: 'Firefox',
    file: certificate,
    steps: [
      'Download the certificate.',
      <>
        Open <Way to={['Settings', 'Privacy & Security', 'Certificates', 'View Certificates', 'Authorities', 'Import']} /> and pick
        ham-server-ca.crt.
      </>,
      'Tick “Trust this CA to identify websites”, then OK.',
    ],
    checks: [
      <>
        In the list of Authorities, “Edit Trust” of the ham-server certificate says that it can identify websites.
      </>,
    ],
    removal: (
      <>
        Under <Way to={['Settings', 'Privacy & Security', 'Certificates', 'View Certificates', 'Authorities']} />, choose ham-server,
        then “Delete or Distrust”.
      </>
    ),
  },
}
