using System.IO;

namespace Postern.Tests.Proxy.Tls;

/// <summary>A theory that needs the <c>openssl</c> command.</summary>
internal sealed class OpenSslTheoryAttribute : TheoryAttribute
{
    public const string Command = "/usr/bin/openssl";

    public OpenSslTheoryAttribute() => Skip = File.Exists(Command) ? null : $"{Command} is not installed";
}
